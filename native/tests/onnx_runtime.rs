//! Compares the exported graphs with the core: the same observations through ONNX Runtime, from PyPI, and
//! through the networks of this program.
//!
//! Parameters of the table of options are moved away from their initial values, so that a bias or a
//! normalisation in a wrong place cannot hide behind zeros and ones. Without a network the tests print a
//! line that begins with SKIPPED, except in CI (`CI=true`), where they fail.

mod common;
#[path = "common/python.rs"]
mod python;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use common::{finish, native};
use deepspi_core::data::rollout::observations;
use deepspi_core::model::Model;
use deepspi_core::nn::categorical::one_hot_of_largest;
use deepspi_core::ops::mixture::SampleNoise;
use deepspi_core::params::{flatten, unflatten};
use deepspi_core::world_model::density::{NormalMixture, Statistics, TransitionNoise};
use deepspi_export::onnx;
use deepspi_run::config::{
    Activation, Algorithm, CategoricalNetwork, Config, MixtureLayout, SoftMoeLayout, SpectralMode,
    TransitionDensity,
};
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::step;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs, MazePreset};
use native::device::DeviceChoice;
use native::evaluate::agent::Agent;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

/// ONNX Runtime and what it needs here. Its own dependencies beside numpy serve other providers.
const RUNTIME: [&str; 1] = ["onnxruntime==1.32.0"];
/// Packages that come with their dependencies.
const NEEDED: [&str; 2] = ["numpy==2.4.6", "onnx==1.23.2"];
/// Largest difference, relative for numbers above 1.
const TOLERANCE: f64 = 1e-4;

/// A folder of cases, and Python to judge them.
struct Cases {
    folder: tempfile::TempDir,
    packages: PathBuf,
}

impl Cases {
    /// None without a network.
    fn new() -> Option<Self> {
        let groups: [python::Group; 2] = [
            (&["--only-binary=:all:"], &NEEDED),
            (&["--only-binary=:all:", "--no-deps"], &RUNTIME),
        ];
        let packages = python::packages("onnxruntime", &groups)?;
        Some(Self { folder: tempfile::tempdir().expect("a folder"), packages })
    }

    fn case(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder).expect("created");
        folder
    }

    /// Runs all cases and checks them; returns the results by case.
    fn judge(&self) -> BTreeMap<String, Value> {
        let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        let output = python::python()
            .arg(Path::new(&root).join("tests/python/onnx_check.py"))
            .arg(self.folder.path())
            .env("PYTHONPATH", &self.packages)
            .output()
            .expect("Python starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ONNX Runtime failed: {errors}");
        let found: BTreeMap<String, Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        for (case, result) in &found {
            println!("{case}: {result}");
            assert_eq!(result["same_actions"], result["samples"], "{case}: other actions");
            let differences = result["differences"].as_object().expect("an object");
            assert!(differences.len() >= 4, "{case}: every output is compared");
            for (name, difference) in differences {
                let close = difference.as_f64().is_some_and(|value| value <= TOLERANCE);
                assert!(close, "{case}: {name} differs by {difference}");
            }
        }
        found
    }
}

/// Writes an array in numpy's format; `kind` is its name of the element type.
fn write_npy(path: &Path, kind: &str, shape: &[usize], bytes: &[u8]) {
    let sizes: String = shape.iter().map(|size| format!("{size},")).collect();
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}");
    // Magic number, version and length are 10 bytes; the array begins at a multiple of 64.
    let len = (header.len() + 11).next_multiple_of(64) - 10;
    header.push_str(&" ".repeat(len - header.len() - 1));
    header.push('\n');
    let length = u16::try_from(len).expect("a short header").to_le_bytes();
    let file = [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), bytes].concat();
    fs::write(path, file).expect("written");
}

fn write_tensor<const D: usize>(folder: &Path, name: &str, tensor: Tensor<D>) {
    let shape = tensor.dims();
    let values: Vec<f32> = tensor.into_data().try_to_vec().expect("f32");
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    write_npy(&folder.join(format!("{name}.npy")), "<f4", &shape, &bytes);
}

/// Writes what the core computes of these observations, `[C, H, W]` each.
fn write_core(folder: &Path, model: &Model, config: &Config, spec: &NetworkSpec, seen: &[Vec<u8>]) {
    let device = Device::flex();
    let frame = spec.frame;
    let shape = [seen.len(), frame.channels, frame.height, frame.width];
    write_npy(&folder.join("observation.npy"), "|u1", &shape, &seen.concat());
    let input = observations(frame, seen.len(), &device, |i| &seen[i]);
    let (latents, output) = model.agent.perceive(input);
    write_tensor(folder, "latent", latents.clone().flatten::<2>(1, 3));
    write_tensor(folder, "logits", output.logits());
    write_tensor(folder, "value", output.values());
    if onnx::has_world_model(config) {
        write_step(folder, model, config, spec, latents);
    }
}

/// Writes what the core's world model makes of a step from each latent.
fn write_step(
    folder: &Path,
    model: &Model,
    config: &Config,
    spec: &NetworkSpec,
    latents: Tensor<4>,
) {
    let world = &model.world_model;
    let (batch, device) = (latents.dims()[0], latents.device());
    let actions: Vec<i64> = (0..batch).map(|i| (i * 7 % spec.actions) as i64).collect();
    let bytes: Vec<u8> = actions.iter().flat_map(|action| action.to_le_bytes()).collect();
    write_npy(&folder.join("action.npy"), "<i8", &[batch], &bytes);
    let mut one_hot = vec![0.0_f32; batch * spec.actions];
    for (row, &action) in one_hot.chunks_exact_mut(spec.actions).zip(&actions) {
        row[action as usize] = 1.0;
    }
    let one_hot = TensorData::new(one_hot, [batch, spec.actions]);
    let one_hot = Tensor::<2>::from_data(one_hot, &device);
    write_tensor(folder, "reward", world.predict_reward(latents.clone(), one_hot.clone()));
    let statistics = world.predict(latents, one_hot);
    let (mean, scale) = mean_and_scale(model, config, statistics);
    write_tensor(folder, "next_latent", mean.clone().flatten::<2>(1, 3));
    if let Some(scale) = scale {
        write_tensor(folder, "next_latent_scale", scale.flatten::<2>(1, 3));
    }
    let next = if config.has_categorical_latents() {
        one_hot_of_largest(mean.squeeze_dim::<3>(1)).unsqueeze_dim(1)
    } else {
        mean
    };
    write_tensor(folder, "continuation", world.continuation(next));
}

/// Mean and scale of the predicted distribution, in the natural layout.
fn mean_and_scale(
    model: &Model,
    config: &Config,
    statistics: Statistics,
) -> (Tensor<4>, Option<Tensor<4>>) {
    let world = &model.world_model;
    let [batch, rows, _, components, latents] = statistics.values.dims();
    let device = statistics.values.device();
    match config.world_model.transition_density {
        TransitionDensity::Deterministic => (world.sample(statistics, None), None),
        TransitionDensity::Categorical => {
            let logits = statistics.values.squeeze_dims::<3>(&[2, 3]);
            (burn::tensor::activation::softmax(logits, 2).unsqueeze_dim(1), None)
        }
        _ if config.world_model.lipschitz_nets => {
            let sample = |noise: f32| {
                let noise = Tensor::full([batch, rows, components, latents], noise, &device);
                let noise = TransitionNoise::Averaged(SampleNoise::Given(noise));
                world.sample(statistics.clone(), Some(noise))
            };
            let mean = sample(0.0);
            (mean.clone(), Some(sample(1.0) - mean))
        }
        _ => {
            let NormalMixture { location, scale, weights } =
                NormalMixture::of(statistics, config.networks.activation);
            let weights = weights.reshape([batch, 1, components, 1]);
            let mean = (location.clone() * weights.clone()).sum_dim(2);
            let apart = location - mean.clone();
            let square = (scale.clone() * scale + apart.clone() * apart) * weights;
            let natural = |values: Tensor<4>| world.alignment().natural(values.squeeze_dim::<3>(2));
            (natural(mean), Some(natural(square.sum_dim(2).sqrt())))
        }
    }
}

/// A model whose parameters are all away from their initial values.
fn moved_model(config: &Config, spec: &NetworkSpec) -> Model {
    let device = Device::flex();
    let model = Model::new(spec, config, &device);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let flat: Vec<f32> = flatten(&model).into_data().try_to_vec().expect("f32");
    let moved: Vec<f32> = flat.iter().map(|value| value + rng.random_range(-0.1..0.1)).collect();
    let moved = Tensor::<1>::from_data(TensorData::new(moved, [flat.len()]), &device);
    unflatten(model, &moved, false)
}

/// Observations of a maze, in which random actions are taken.
fn seen_in_the_maze(count: usize) -> Vec<Vec<u8>> {
    let maze = Maze::new(MazeConfig { cue: 0.7, ..MazeConfig::DEFAULT }, 0.99).expect("a maze");
    let mut env = MazeEnvs::new(maze, 8, 3);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut seen = Vec::new();
    while seen.len() < count {
        let actions: Vec<u32> = (0..8).map(|_| rng.random_range(0..4)).collect();
        env.step(&actions);
        let observations = deepspi_worlds::env::VectorEnv::observations(&env);
        seen.extend(observations.chunks_exact(observations.len() / 8).map(<[u8]>::to_vec));
    }
    seen.truncate(count);
    seen
}

/// Pictures of random grey levels: the maze has few states, and its pictures are mostly background.
fn random_pictures(count: usize, len: usize) -> Vec<Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    (0..count).map(|_| (0..len).map(|_| rng.random()).collect()).collect()
}

fn maze() -> Config {
    MazePreset::Small.hyper_parameters()
}

/// The maze's configuration with changes.
fn with(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = maze();
    change(&mut config);
    config
}

fn density(density: TransitionDensity) -> Config {
    with(|config| config.world_model.transition_density = density)
}

fn free(transition: TransitionDensity, grouped: bool, layout: MixtureLayout) -> Config {
    with(|config| {
        config.world_model.lipschitz_nets = false;
        config.world_model.transition_density = transition;
        config.world_model.use_feature_group = grouped;
        config.world_model.mixture_layout = layout;
    })
}

fn categorical(network: CategoricalNetwork) -> Config {
    with(|config| {
        config.world_model.transition_density = TransitionDensity::Categorical;
        config.world_model.categorical_network = network;
        config.world_model.use_feature_group = network != CategoricalNetwork::Conv;
        config.world_model.lipschitz_nets = false;
        config.networks.n_cat = 6;
        config.networks.n_cls = 5;
    })
}

/// Every architecture, and every option that changes one.
fn table() -> Vec<(String, Config)> {
    let mut all: Vec<(String, Config)> = Vec::new();
    let mut add = |name: &str, config: Config| all.push((name.to_owned(), config));
    add("mixture", maze());
    add("no groups", with(|config| config.world_model.use_feature_group = false));
    add("normal", density(TransitionDensity::Normal));
    add("deterministic", density(TransitionDensity::Deterministic));
    add("exact", with(|config| config.world_model.spectral_mode = SpectralMode::Exact));
    for transition in [
        TransitionDensity::MixtureNormal,
        TransitionDensity::Normal,
        TransitionDensity::Deterministic,
    ] {
        for grouped in [true, false] {
            for layout in [MixtureLayout::Corrected, MixtureLayout::Parity] {
                let name = format!("free {transition:?} {grouped} {layout:?}");
                add(&name, free(transition, grouped, layout));
            }
        }
    }
    for activation in [Activation::Elu, Activation::Gelu, Activation::Silu, Activation::Tanh] {
        let mut config = free(TransitionDensity::MixtureNormal, true, MixtureLayout::Corrected);
        config.networks.activation = activation;
        add(&format!("{activation:?}"), config);
    }
    add("layer norm", with(|config| config.networks.use_layer_norm = true));
    add("layer norm of the output", with(|config| config.networks.layer_norm_cnn_output = true));
    let both = |config: &mut Config| {
        config.networks.use_layer_norm = true;
        config.networks.layer_norm_cnn_output = true;
        config.networks.activation = Activation::Silu;
    };
    add("layer norm of all", with(both));
    add("hadamard", with(|config| config.networks.hadamard_representation = true));
    let deep = |config: &mut Config| {
        config.networks.dreamer_architecture = true;
        config.networks.hadamard_representation = true;
        config.networks.use_layer_norm = true;
    };
    add("dreamer", with(|config| config.networks.dreamer_architecture = true));
    add("deep", with(deep));
    add("decoupled", with(|config| config.networks.decoupled_repr = true));
    for network in [
        CategoricalNetwork::Fc,
        CategoricalNetwork::Conv,
        CategoricalNetwork::SoftMoe,
        CategoricalNetwork::Transformer,
    ] {
        let config = categorical(network);
        add(&format!("categorical {network:?}"), config.clone());
        let mut attentive = config;
        attentive.networks.use_attention = true;
        attentive.networks.use_layer_norm = true;
        attentive.world_model.clip_reward_net_output =
            matches!(network, CategoricalNetwork::Fc | CategoricalNetwork::Transformer);
        attentive.world_model.softmoe_layout = SoftMoeLayout::Parity;
        add(&format!("categorical {network:?} with attention"), attentive);
    }
    let mut decoupled = categorical(CategoricalNetwork::Fc);
    decoupled.networks.decoupled_repr = true;
    add("categorical decoupled", decoupled);
    add("done predictor", with(|config| config.world_model.done_predictor = true));
    let dream = |config: &mut Config| config.algo = Algorithm::DreamSpi;
    add("dream-spi", with(dream));
    let dream_decoupled = |config: &mut Config| {
        dream(config);
        config.networks.decoupled_repr = true;
    };
    add("dream-spi decoupled", with(dream_decoupled));
    let mut imagined = categorical(CategoricalNetwork::Transformer);
    dream(&mut imagined);
    add("dream-spi categorical", imagined);
    add("ppo", with(|config| config.algo = Algorithm::Ppo));
    all
}

#[test]
fn every_architecture_is_the_same_function_in_onnx_runtime() {
    let Some(cases) = Cases::new() else { return };
    let spec = MazePreset::Small.network();
    let mut seen = seen_in_the_maze(16);
    seen.extend(random_pictures(48, spec.frame.len()));
    let table = table();
    for (name, config) in &table {
        config.validate().unwrap_or_else(|error| panic!("{name}: {error}"));
        let folder = cases.case(name);
        let model = moved_model(config, &spec);
        let bytes = onnx::agent(&model, config, &spec, &[]).expect(name);
        fs::write(folder.join("model.onnx"), bytes).expect("written");
        if let Some(bytes) = onnx::world_model_step(&model, config, &spec, &[]).expect(name) {
            fs::write(folder.join("world_model.onnx"), bytes).expect("written");
        }
        write_core(&folder, &model, config, &spec, &seen);
    }
    let found = cases.judge();
    assert_eq!(found.len(), table.len());
    let outputs = |case: &str| found[case]["world_model_outputs"].clone();
    assert_eq!(outputs("deterministic"), serde_json::json!(["next_latent", "reward"]));
    assert_eq!(
        outputs("dream-spi"),
        serde_json::json!(["continuation", "next_latent", "next_latent_scale", "reward"])
    );
    assert_eq!(outputs("ppo"), Value::Null, "its world model was never trained");
}

/// Trains, exports, and compares 1,000 observations of the run's own world.
fn compare_run(cases: &Cases, name: &str, arguments: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let mut command = native();
    command.args(arguments).args(["--device", "cpu", "--run-dir"]).arg(&run);
    finish(&mut command).succeeded();
    let out = cases.folder.path().join(name);
    finish(native().arg("export").arg(&run).arg("--out").arg(&out)).succeeded();
    let agent = Agent::load(&run, &DeviceChoice::Cpu).expect("an agent");
    let mut env = agent.world.open(&agent.config, 11, None).expect("opened");
    pollster::block_on(deepspi_worlds::env::reset(&mut *env)).expect("reset");
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (count, actions) = (env.num_envs(), env.actions() as u32);
    let mut seen = Vec::new();
    while seen.len() < 1000 {
        let observations = env.observations();
        seen.extend(observations.chunks_exact(observations.len() / count).map(<[u8]>::to_vec));
        let chosen: Vec<u32> = (0..count).map(|_| rng.random_range(0..actions)).collect();
        pollster::block_on(step(&mut *env, &chosen)).expect("played");
    }
    seen.truncate(1000);
    write_core(&out, &agent.model, &agent.config, &agent.spec, &seen);
}

#[test]
fn trained_agents_decide_alike_in_onnx_runtime() {
    let Some(cases) = Cases::new() else { return };
    compare_run(&cases, "maze", &["--env", "maze", "--total-timesteps", "8192"]);
    let tiny = ["--num-envs", "4", "--num-steps", "8", "--num-minibatches", "2"];
    let breakout = ["--env", "Breakout", "--total-timesteps", "128"];
    compare_run(&cases, "breakout", &[&breakout[..], &tiny].concat());
    let found = cases.judge();
    for case in ["maze", "breakout"] {
        assert_eq!(found[case]["same_actions"], 1000, "{case}");
    }
}
