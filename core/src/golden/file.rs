//! The format of a golden file.

use std::collections::BTreeMap;

use deepspi_run::config::{
    Algorithm, Config, MixtureLayout, Objective, SpectralMode, TransitionDensity, ValueLoss,
    WorldModelConfig,
};
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::frame::FrameShape;
use serde::Deserialize;

/// Why a golden file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// Not JSON, or not of this form.
    #[error("not a golden file: {0}")]
    Format(#[from] serde_json::Error),
    /// A setting of the authors' code that this implementation does not have.
    #[error(
        "the golden file was computed with the option `{name}` = {value}, which this version lacks"
    )]
    Option {
        /// The authors' name.
        name: String,
        /// Its value in the file.
        value: serde_json::Value,
    },
    /// A parameter that this implementation does not have.
    #[error("the golden file names a parameter unknown here: `{0}`")]
    UnknownParameter(String),
    /// A parameter of this implementation that the file does not give.
    #[error("the golden file lacks a value for the parameter `{0}`")]
    MissingParameter(String),
    /// A parameter of another shape.
    #[error("parameter `{name}` has shape {found:?} in the golden file, here {expected:?}")]
    Shape {
        /// Name in the file.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape in this implementation.
        expected: Vec<usize>,
    },
    /// A vector whose length is not the batch size.
    #[error("`{name}` has {found} entries in the golden file, but B is {expected}")]
    Length {
        /// Name in the file.
        name: &'static str,
        /// Entries found.
        found: usize,
        /// Batch size.
        expected: usize,
    },
    /// Reading results back failed.
    #[error(transparent)]
    Core(#[from] crate::Error),
}

/// The authors' share of the prediction, if the gradient of l_P is balanced.
const AUTHORS_BALANCE: f32 = 0.8;

/// How one parameter is filled.
#[derive(Clone, Debug, Deserialize)]
pub struct Fill {
    /// Name in the authors' parameter tree.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// Seed of the fill.
    pub seed: u64,
    /// Values lie in `[-bound, bound)`.
    pub bound: f64,
}

/// Fingerprint of a tensor.
#[derive(Clone, Debug, Deserialize)]
pub struct Summary {
    /// Sum of all entries.
    pub sum: f64,
    /// Euclidean norm.
    pub l2: f64,
    /// Some `(flat index, value)` pairs.
    pub at: Vec<(usize, f64)>,
}

/// One number per sample, or a single 0 for a loss that the authors' code did not compute.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum PerSample {
    /// `[B]`
    Values(Vec<f64>),
    /// Not computed.
    Scalar(f64),
}

/// A golden file. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the file, explained in its README")]
pub struct GoldenFile {
    pub variant: String,
    pub seed_offset: u64,
    pub learning_rate_at_step_0: f64,
    pub transition_loss_coef: f32,
    pub reward_loss_coef: f32,
    pub lipschitz_nets: bool,
    pub transition_density: String,
    pub drift_formulation: bool,
    pub deep_mdp: bool,
    #[serde(rename = "B")]
    pub batch: usize,
    pub channels: usize,
    pub actions: usize,
    /// Settings that differ from the authors' defaults, and here the layout of free mixtures.
    #[serde(default)]
    pub options: BTreeMap<String, serde_json::Value>,
    pub params: Vec<Fill>,
    pub z: Summary,
    pub hidden: Summary,
    pub logits: Vec<Vec<f64>>,
    pub value: Vec<f64>,
    pub old_logprob: Vec<f32>,
    pub reward: Vec<f32>,
    pub advantage: Vec<f32>,
    pub returns: Vec<f32>,
    pub done: Vec<f32>,
    pub transition_loss: PerSample,
    pub reward_loss: PerSample,
    pub entropy: Vec<f64>,
    pub loss: f64,
    pub pg_loss: f64,
    pub v_loss: f64,
    pub entropy_mean: f64,
    pub approx_kl: f64,
    pub drift: f64,
    pub grad_global_norm: f64,
    pub grads: BTreeMap<String, Summary>,
    pub params_after_one_step: BTreeMap<String, Summary>,
}

impl GoldenFile {
    /// Parses the text of a golden file and checks the lengths of its vectors.
    ///
    /// # Errors
    /// If it is not JSON of this form.
    pub fn parse(text: &str) -> Result<Self, GoldenError> {
        let file: Self = serde_json::from_str(text)?;
        let lengths = [
            ("logits", file.logits.len()),
            ("value", file.value.len()),
            ("old_logprob", file.old_logprob.len()),
            ("reward", file.reward.len()),
            ("advantage", file.advantage.len()),
            ("returns", file.returns.len()),
            ("done", file.done.len()),
            ("entropy", file.entropy.len()),
        ];
        for (name, found) in lengths {
            if found != file.batch {
                return Err(GoldenError::Length { name, found, expected: file.batch });
            }
        }
        Ok(file)
    }

    /// The configuration the file was computed with.
    ///
    /// # Errors
    /// If the transition density or an option is unknown.
    pub fn config(&self) -> Result<Config, GoldenError> {
        let (mut mixture_layout, mut value_loss) = (MixtureLayout::Parity, ValueLoss::Squared);
        let mut transition_balance = 0.0;
        for (name, value) in &self.options {
            match (name.as_str(), value.as_bool()) {
                ("mixture_layout", _) => mixture_layout = serde_json::from_value(value.clone())?,
                ("use_huber", Some(true)) => value_loss = ValueLoss::Huber,
                ("w_balancing", Some(true)) => transition_balance = AUTHORS_BALANCE,
                _ => return Err(GoldenError::Option { name: name.clone(), value: value.clone() }),
            }
        }
        let density = serde_json::Value::String(self.transition_density.replace('_', "-"));
        Ok(Config {
            algo: if self.deep_mdp { Algorithm::DeepMdp } else { Algorithm::DeepSpi },
            learning_rate: self.learning_rate_at_step_0,
            world_model: WorldModelConfig {
                reward_loss_coef: self.reward_loss_coef,
                transition_loss_coef: self.transition_loss_coef,
                transition_density: serde_json::from_value::<TransitionDensity>(density)?,
                lipschitz_nets: self.lipschitz_nets,
                spectral_mode: SpectralMode::Parity,
                mixture_layout,
                transition_balance,
                ..WorldModelConfig::DEFAULT
            },
            value_loss,
            objective: if self.drift_formulation { Objective::Drift } else { Objective::Clip },
            ..Config::default()
        })
    }

    /// The networks the file was computed with.
    #[must_use]
    pub fn spec(&self) -> NetworkSpec {
        let frame = FrameShape { channels: self.channels, height: 84, width: 84 };
        NetworkSpec::atari(frame, self.actions)
    }
}

/// The local name of a parameter in the authors' tree. `None` for the authors' unused copy of the
/// encoder under the critic.
pub(super) fn local_name(name: &str) -> Result<Option<String>, GoldenError> {
    let unknown = || GoldenError::UnknownParameter(name.to_owned());
    let (path, leaf) = name.rsplit_once('/').ok_or_else(unknown)?;
    let (network, layer) = path.rsplit_once("/params/").ok_or_else(unknown)?;
    let layer = layer.trim_start_matches("Spectral");
    let (kind, index) = layer.rsplit_once('_').ok_or_else(unknown)?;
    let module = match (network, kind, index) {
        ("agent/actor_network_params/0", "Conv", i) => format!("agent.encoder.{i}"),
        ("agent/actor_network_params/1", "Dense", "0") => "agent.trunk".to_owned(),
        ("agent/actor_params", "Dense", "0") => "agent.actor".to_owned(),
        ("agent/critic_params", "Dense", "0") => "agent.critic".to_owned(),
        ("agent/critic_network_params/0" | "agent/critic_network_params/1", _, _) => {
            return Ok(None);
        }
        ("world_model/transition_network_params", "Conv", "0") => {
            "world_model.transition.first".to_owned()
        }
        ("world_model/transition_network_params", "Conv", "1") => {
            "world_model.transition.second".to_owned()
        }
        ("world_model/transition_network_params", "Dense", "0") => {
            "world_model.transition.logits".to_owned()
        }
        ("world_model/reward_network_params", "Dense", i) => {
            format!("world_model.reward.layers.{i}")
        }
        _ => return Err(unknown()),
    };
    Ok(Some(format!("{module}.{leaf}")))
}
