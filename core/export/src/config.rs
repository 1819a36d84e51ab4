//! `config.json`: what goes in and out of the graphs of an agent, and how it was trained.

use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;
use deepspi_run::run_files::RunInfo;
use deepspi_worlds::atari::AtariOptions;
use serde::{Deserialize, Serialize};

use crate::density::meaning_of_scale;
use crate::error::ExportError;
use crate::onnx::has_world_model;
use crate::subject::Subject;

/// Name of the description in an export.
pub const CONFIG_FILE: &str = "config.json";
/// Name of the graph of the agent.
pub const AGENT_FILE: &str = "model.onnx";
/// Name of the graph of the world model.
pub const WORLD_MODEL_FILE: &str = "world_model.onnx";
/// Name of the parameters.
pub const PARAMETERS_FILE: &str = "model.safetensors";
/// What the field `kind` of every description says.
const KIND: &str = "deepspi-export";
/// Version of the description.
const FORMAT: u32 = 1;

/// The fields by which an export is recognised.
#[derive(Debug, Deserialize)]
struct Mark {
    kind: String,
}

/// Whether the content of a `config.json` is the description of an export.
#[must_use]
pub fn is_export(config: &[u8]) -> bool {
    serde_json::from_slice(config).is_ok_and(|mark: Mark| mark.kind == KIND)
}

#[derive(Serialize)]
struct Description<'a> {
    kind: &'static str,
    format: u32,
    algorithm: &'static str,
    world: &'a str,
    seed: u64,
    agent_steps: u64,
    checkpoint: &'a str,
    exported_by: Program<'a>,
    discount: f32,
    actions: Vec<Action>,
    observation: Observation,
    rewards: Rewards,
    graphs: Vec<GraphFile>,
    parameters: &'static str,
    networks: &'a NetworkSpec,
    run: &'a RunInfo,
    hyper_parameters: &'a Config,
}

#[derive(Serialize)]
struct Program<'a> {
    name: &'static str,
    version: &'a str,
    revision: &'a str,
}

/// One output of the policy.
#[derive(Serialize)]
struct Action {
    name: String,
    /// Number of the action in ALE; none in the maze.
    #[serde(skip_serializing_if = "Option::is_none")]
    ale: Option<u8>,
}

#[derive(Serialize)]
struct Observation {
    channels: usize,
    height: usize,
    width: usize,
    layout: &'static str,
    values: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    preprocessing: Option<Preprocessing>,
}

/// From the frames of a console to an observation.
#[derive(Serialize)]
struct Preprocessing {
    frame_skip: u32,
    pooling: &'static str,
    grey: &'static str,
    resize: &'static str,
    stack: usize,
    reset: String,
    repeat_action_probability: f32,
    noop_max: u32,
    fire_reset: bool,
    episodic_life_in_training: bool,
    max_episode_steps_in_training: u32,
    rules: String,
}

#[derive(Serialize)]
struct Rewards {
    clipped_to_sign: bool,
    note: &'static str,
}

#[derive(Serialize)]
struct GraphFile {
    file: &'static str,
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
}

#[derive(Serialize)]
struct TensorInfo {
    name: &'static str,
    kind: &'static str,
    /// The first axis is the batch.
    shape: Vec<Size>,
    meaning: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Size {
    Batch(&'static str),
    Number(usize),
}

fn tensor(
    name: &'static str,
    kind: &'static str,
    shape: &[usize],
    meaning: impl Into<String>,
) -> TensorInfo {
    let numbers = shape.iter().map(|&size| Size::Number(size));
    let shape = std::iter::once(Size::Batch("batch")).chain(numbers).collect();
    TensorInfo { name, kind, shape, meaning: meaning.into() }
}

/// The text of `config.json`.
///
/// # Errors
/// If this program does not know the world of the agent.
pub fn text(subject: &Subject<'_>) -> Result<String, ExportError> {
    let Subject { run, config, spec, checkpoint, steps, version, revision } = *subject;
    let world = subject.world()?;
    let options =
        world.options(config.gamma).map_err(|error| ExportError::World(error.to_string()))?;
    let ids = world.game().map(|game| game.actions);
    let names = subject.action_names()?.into_iter().enumerate();
    let actions =
        names.map(|(i, name)| Action { name, ale: ids.and_then(|ids| ids.get(i).copied()) });
    let description = Description {
        kind: KIND,
        format: FORMAT,
        algorithm: config.algo.name(),
        world: &run.env,
        seed: config.seed,
        agent_steps: steps,
        checkpoint,
        exported_by: Program { name: "deepspi", version, revision },
        discount: config.gamma,
        actions: actions.collect(),
        observation: observation(spec, options.as_ref()),
        rewards: Rewards {
            clipped_to_sign: options.is_some_and(|options| options.reward_clip),
            note: "Values and predicted rewards are of the learner's rewards, which are clipped if this is true.",
        },
        graphs: graphs(config, spec),
        parameters: PARAMETERS_FILE,
        networks: spec,
        run,
        hyper_parameters: config,
    };
    Ok(serde_json::to_string_pretty(&description)? + "\n")
}

fn observation(spec: &NetworkSpec, options: Option<&AtariOptions>) -> Observation {
    let frame = spec.frame;
    Observation {
        channels: frame.channels,
        height: frame.height,
        width: frame.width,
        layout: "batch, channels, rows, columns; the newest frame is the last channel",
        values: "uint8 grey levels 0 to 255; the graph divides them by 255",
        preprocessing: options.map(preprocessing),
    }
}

fn preprocessing(options: &AtariOptions) -> Preprocessing {
    Preprocessing {
        frame_skip: options.frame_skip,
        pooling: "maximum of the grey levels of the last two frames of a step",
        grey: "ALE's palette: round(0.2989 R + 0.5870 G + 0.1140 B)",
        resize: "210x160 to 84x84 by area, as cv2.INTER_AREA",
        stack: options.stack,
        reset: format!(
            "up to {} no-ops, then FIRE for one frame if the game has it; the stack is filled with the \
             first frame",
            options.noop_max
        ),
        repeat_action_probability: options.repeat_action_probability,
        noop_max: options.noop_max,
        fire_reset: options.use_fire_reset,
        episodic_life_in_training: options.episodic_life,
        max_episode_steps_in_training: options.max_episode_steps,
        rules: options.describe(),
    }
}

fn graphs(config: &Config, spec: &NetworkSpec) -> Vec<GraphFile> {
    let frame = spec.frame;
    let networks = &config.networks;
    let (latent, order) = if config.has_categorical_latents() {
        (networks.n_cat * networks.n_cls, "one-hot classes, categories outside of classes")
    } else {
        (spec.latent_len(), "feature maps in the order rows, columns, channels")
    };
    let actions = spec.actions;
    let mut graphs = vec![GraphFile {
        file: AGENT_FILE,
        inputs: vec![tensor(
            "observation",
            "uint8",
            &[frame.channels, frame.height, frame.width],
            "stacked frames",
        )],
        outputs: vec![
            tensor("latent", "float32", &[latent], order),
            tensor(
                "logits",
                "float32",
                &[actions],
                "unnormalised log-probabilities of the actions",
            ),
            tensor("log_probs", "float32", &[actions], "log-probabilities of the actions"),
            tensor("value", "float32", &[], "expected discounted sum of the learner's rewards"),
        ],
    }];
    if !has_world_model(config) {
        return graphs;
    }
    let next = if config.has_categorical_latents() {
        "probabilities of the classes of each category; the next latent itself is one-hot"
    } else {
        "mean of the predicted distribution of the next latent"
    };
    let mut outputs = vec![
        tensor("reward", "float32", &[], "predicted reward of the step"),
        tensor("next_latent", "float32", &[latent], next),
    ];
    if let Some(meaning) = meaning_of_scale(config) {
        outputs.push(tensor("next_latent_scale", "float32", &[latent], meaning));
    }
    if config.has_done_predictor() {
        let of = if config.has_categorical_latents() {
            "the most probable classes"
        } else {
            "next_latent"
        };
        let meaning = format!("probability that the episode goes on in {of}");
        outputs.push(tensor("continuation", "float32", &[], meaning));
    }
    graphs.push(GraphFile {
        file: WORLD_MODEL_FILE,
        inputs: vec![
            tensor("latent", "float32", &[latent], order),
            tensor("action", "int64", &[], "index of the action"),
        ],
        outputs,
    });
    graphs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_recognised_by_its_description() {
        assert!(is_export(b"{\"kind\": \"deepspi-export\", \"format\": 1}"));
        for other in [&b"{\"model_type\": \"bert\"}"[..], b"", b"{\"kind\": \"other\"}"] {
            assert!(!is_export(other));
        }
    }
}
