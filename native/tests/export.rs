//! `native export` on a tiny run of the maze: the files, the names and shapes inside of the graphs, and
//! folders that are never replaced.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::{Finished, TINY, checkpoint, entries, finish, native};
use deepspi_export::proto::{Dimension, ElementType, GraphProto, ModelProto, ValueInfoProto};
use prost::Message as _;
use serde_json::Value;

/// A run of the maze in `folder`.
fn trained(folder: &Path, arguments: &[&str]) -> PathBuf {
    let run = folder.join("run");
    let mut command = native();
    command.args(["--env", "maze", "--device", "cpu", "--run-dir"]).arg(&run).args(TINY);
    let length = ["--total-timesteps", "1600", "--save-every", "800"];
    finish(command.args(length).args(arguments)).succeeded();
    run
}

fn export(run: &Path, out: &Path, arguments: &[&str]) -> Finished {
    finish(native().arg("export").arg(run).arg("--out").arg(out).args(arguments))
}

fn graph(file: &Path) -> (ModelProto, GraphProto) {
    let bytes = fs::read(file).expect("a graph");
    let model = ModelProto::decode(&bytes[..]).expect("ONNX");
    let graph = model.graph.clone().expect("one graph");
    (model, graph)
}

/// Kind and shape of a tensor.
fn described(info: &ValueInfoProto) -> (ElementType, Vec<String>) {
    let tensor = info.r#type.as_ref().and_then(|one| one.tensor_type.clone()).expect("a tensor");
    let sizes = tensor.shape.as_ref().expect("a shape").dim.iter();
    let sizes = sizes.map(|dim| match dim.value.as_ref().expect("every size is known") {
        Dimension::Value(value) => value.to_string(),
        Dimension::Param(name) => name.clone(),
    });
    (tensor.elem_type(), sizes.collect())
}

fn listed(infos: &[ValueInfoProto]) -> BTreeMap<&str, (ElementType, Vec<String>)> {
    infos.iter().map(|info| (info.name(), described(info))).collect()
}

fn shape(sizes: &[&str]) -> Vec<String> {
    sizes.iter().map(|&size| size.to_owned()).collect()
}

/// Names of the tensors in a safetensors file.
fn parameter_names(file: &Path) -> BTreeSet<String> {
    let bytes = fs::read(file).expect("parameters");
    let (length, rest) = bytes.split_first_chunk::<8>().expect("a length");
    let length = usize::try_from(u64::from_le_bytes(*length)).expect("a length");
    let header: BTreeMap<String, Value> = serde_json::from_slice(&rest[..length]).expect("JSON");
    header.into_keys().filter(|name| name != "__metadata__").collect()
}

#[test]
fn an_export_holds_graphs_parameters_a_description_and_a_card() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = trained(folder.path(), &[]);
    finish(native().args(["evaluate", "--device", "cpu", "--episodes", "3"]).arg(&run)).succeeded();
    let out = folder.path().join("out");
    export(&run, &out, &["--license", "mit"]).succeeded();
    let names = entries(&out);
    let names: Vec<_> = names.iter().map(|path| path.file_name().expect("a name")).collect();
    assert_eq!(
        names,
        [
            "README.md",
            "config.json",
            "learning_curve.csv",
            "learning_curve.svg",
            "model.onnx",
            "model.safetensors",
            "run.toml",
            "world_model.onnx"
        ]
    );

    let (model, agent) = graph(&out.join("model.onnx"));
    assert_eq!((model.ir_version(), model.opset_import[0].version()), (8, 17));
    let float = ElementType::Float;
    let input = listed(&agent.input);
    let expected = shape(&["batch", "1", "28", "28"]);
    assert_eq!(input, BTreeMap::from([("observation", (ElementType::Uint8, expected))]));
    let output = listed(&agent.output);
    for (name, sizes) in [
        ("latent", &["batch", "72"][..]),
        ("logits", &["batch", "4"]),
        ("log_probs", &["batch", "4"]),
        ("value", &["batch"]),
    ] {
        assert_eq!(output[name], (float, shape(sizes)), "{name}");
    }
    let nodes: Vec<&str> = agent.node.iter().map(|node| node.name()).collect();
    let expected = [
        "pixels/float",
        "pixels",
        "encoder/0/conv",
        "encoder/0/relu",
        "encoder/1/conv",
        "encoder/1/relu",
        "encoder/channels_last",
        "encoder/flat",
        "trunk/dense",
        "trunk/relu",
        "actor/dense",
        "actor/log_softmax",
        "critic/dense",
        "critic/value",
    ];
    assert_eq!(nodes, expected);

    let (_, world) = graph(&out.join("world_model.onnx"));
    let input = listed(&world.input);
    assert_eq!(input["latent"], (float, shape(&["batch", "72"])));
    assert_eq!(input["action"], (ElementType::Int64, shape(&["batch"])));
    let output = listed(&world.output);
    assert_eq!(output["reward"], (float, shape(&["batch"])));
    for name in ["next_latent", "next_latent_scale"] {
        assert_eq!(output[name], (float, shape(&["batch", "72"])));
    }
    for graph in [&agent, &world] {
        is_consistent(graph);
    }
    // Every parameter of the agent is in a graph under its name; a normalised kernel says so.
    let initializers = agent.initializer.iter().chain(&world.initializer);
    let constants: BTreeSet<&str> = initializers.map(|tensor| tensor.name()).collect();
    for name in parameter_names(&out.join("model.safetensors")) {
        let normalised = format!("{name}.normalised");
        assert!(
            constants.contains(&*name) || constants.contains(&*normalised),
            "{name} is in no graph"
        );
    }

    let config = fs::read(out.join("config.json")).expect("a description");
    let config: Value = serde_json::from_slice(&config).expect("JSON");
    assert_eq!(config["actions"][3]["name"], "right");
    assert_eq!(config["hyper_parameters"]["world_model"]["lipschitz_nets"], true);
    assert_eq!(config["graphs"][1]["outputs"][1]["shape"][1], 72);
    assert_eq!(config["agent_steps"], 1600);
    let card = fs::read_to_string(out.join("README.md")).expect("a card");
    for text in [
        "---\nlibrary_name: onnx\nlicense: mit\n",
        "    - type: mean_reward\n      value: ",
        "# deep-spi on maze",
        "3 episodes, actions drawn from the policy",
        "| steps | games | mean return |",
        "native train --config run.toml",
        "model.safetensors",
    ] {
        assert!(card.contains(text), "{text} is not in {card}");
    }
    // The command of the card trains the same run.
    let again = folder.path().join("again");
    let mut command = native();
    command.args(["train", "--device", "cpu", "--config"]).arg(out.join("run.toml"));
    finish(command.arg("--run-dir").arg(&again)).succeeded();
    let parameters = |run: &Path| fs::read(checkpoint(run, 1600).join("model.safetensors"));
    assert_eq!(parameters(&again).expect("saved"), parameters(&run).expect("saved"));
    let exported = fs::read(out.join("model.safetensors")).expect("exported");
    assert_eq!(parameters(&run).expect("saved"), exported);
}

/// Checks that names are unique, that every tensor is made before it is used, and that the shape of every
/// tensor is given.
fn is_consistent(graph: &GraphProto) {
    let given = graph.input.iter().map(|info| info.name());
    let mut known: BTreeSet<&str> = given.collect();
    for tensor in &graph.initializer {
        assert!(known.insert(tensor.name()), "{} is there twice", tensor.name());
        let len = tensor.dims.iter().product::<i64>();
        let size = match tensor.data_type() {
            ElementType::Float => 4,
            ElementType::Int64 => 8,
            _ => 1,
        };
        assert_eq!(tensor.raw_data().len() as i64, len * size, "{}", tensor.name());
    }
    let mut names = BTreeSet::new();
    let shapes = listed(&graph.value_info);
    let outputs = listed(&graph.output);
    for node in &graph.node {
        assert!(names.insert(node.name()), "{} is there twice", node.name());
        for input in &node.input {
            assert!(known.contains(&**input), "{} reads {input} too early", node.name());
        }
        for output in &node.output {
            assert!(known.insert(output), "{output} is made twice");
            let has_shape = shapes.contains_key(&**output) || outputs.contains_key(&**output);
            assert!(has_shape, "{output} has no shape");
        }
    }
    assert!(outputs.keys().all(|name| known.contains(name)));
}

#[test]
fn a_checkpoint_of_ppo_has_no_world_model_and_no_scores_of_another_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = trained(folder.path(), &["--algo", "ppo"]);
    finish(native().args(["evaluate", "--device", "cpu", "--episodes", "2"]).arg(&run)).succeeded();
    let out = folder.path().join("deep").join("out");
    export(&checkpoint(&run, 800), &out, &[]).succeeded();
    assert!(!out.join("world_model.onnx").exists());
    let card = fs::read_to_string(out.join("README.md")).expect("a card");
    assert!(card.contains("license: unknown") && !card.contains("model-index"), "{card}");
    assert!(card.contains("an evaluation of another checkpoint (step_000000001600)"), "{card}");
    assert!(card.contains("trains no world model"), "{card}");
    let config = fs::read_to_string(out.join("config.json")).expect("a description");
    assert!(config.contains("\"agent_steps\": 800") && !config.contains("world_model.onnx"));
}

#[test]
fn bad_input_is_refused_and_nothing_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = trained(folder.path(), &[]);
    let out = folder.path().join("out");
    export(&folder.path().join("nothing"), &out, &[]).refused_in_one_paragraph(&["no agent"]);
    assert!(!out.exists());
    // The run folder itself is no place for an export.
    export(&run, &run, &["--overwrite"]).refused_in_one_paragraph(&["is no export", "--out DIR"]);
    assert!(run.join("config.toml").exists());
    export(&run, &out, &[]).succeeded();
    let before = fs::read(out.join("model.onnx")).expect("a graph");
    export(&run, &out, &[]).refused_in_one_paragraph(&["earlier export", "--overwrite"]);
    export(&checkpoint(&run, 800), &out, &["--overwrite"]).succeeded();
    assert!(fs::read(out.join("model.onnx")).expect("a graph") != before, "replaced");
    fs::write(out.join("notes.txt"), "mine").expect("written");
    export(&run, &out, &["--overwrite"]).refused_in_one_paragraph(&["notes.txt", "lost"]);
    export(&run, &folder.path().join("new"), &["--license", "My Licence"])
        .refused(&["licence", "apache-2.0"]);
    common::damage(&checkpoint(&run, 800).join("model.safetensors"));
    let new = folder.path().join("new");
    export(&checkpoint(&run, 800), &new, &[]).refused(&["damaged"]);
    assert!(!new.exists());
    // A place where nothing can be written is refused before the agent is read.
    export(&folder.path().join("nothing"), &run.join("config.toml").join("out"), &[])
        .refused_in_one_paragraph(&["config.toml", "a writable place", "--out DIR"]);
}

#[cfg(unix)]
#[test]
fn an_export_is_written_where_the_user_means() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = trained(folder.path(), &[]);
    // A link to a folder on another disk stays one.
    let [disk, link] = ["disk", "link"].map(|name| folder.path().join(name));
    fs::create_dir(&disk).expect("created");
    std::os::unix::fs::symlink(&disk, &link).expect("linked");
    export(&run, &link, &[]).succeeded();
    export(&run, &link, &["--overwrite"]).succeeded();
    assert!(link.is_symlink() && disk.join("model.onnx").exists());
    // As with the mount of a container, the folder cannot be replaced, but written: here a file is where the new folder
    // would be prepared.
    let mounted = folder.path().join("mounted");
    fs::create_dir(&mounted).expect("created");
    fs::write(folder.path().join(".writing_mounted"), "").expect("written");
    for more in [&[][..], &["--overwrite"]] {
        export(&run, &mounted, more).succeeded();
        assert_eq!(entries(&mounted).len(), entries(&disk).len());
    }
    assert_eq!(
        fs::read(mounted.join("model.onnx")).expect("a graph"),
        fs::read(disk.join("model.onnx")).expect("a graph")
    );
}
