//! The format of a golden file.

use std::collections::BTreeMap;

use deepspi_run::config::{
    Algorithm, Config, CostTarget, DreamMode, GradientPenalty, MixtureLayout, Objective,
    SoftMoeLayout, SpectralMode, ValueLoss, WorldModelConfig,
};
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::frame::FrameShape;
use serde::Deserialize;
use serde::de::DeserializeOwned;

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
    /// Shape; some files leave it out where it is that of a parameter.
    #[serde(default)]
    pub shape: Vec<usize>,
    /// Seed of the fill.
    pub seed: u64,
    /// Values lie in `[offset - bound, offset + bound)`.
    pub bound: f64,
    /// Middle of the values.
    #[serde(default)]
    pub offset: f64,
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

/// What a file was computed with. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the file, explained in its README")]
pub struct Setting {
    pub seed_offset: u64,
    pub learning_rate_at_step_0: Option<f64>,
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
}

/// The transitions of a minibatch. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the file, explained in its README")]
pub struct Transitions {
    pub old_logprob: Vec<f32>,
    pub reward: Vec<f32>,
    pub advantage: Vec<f32>,
    pub returns: Vec<f32>,
    pub done: Vec<f32>,
    pub next_done: Option<Vec<f32>>,
    /// Number of the first sample, if these are a part of the file's.
    #[serde(skip)]
    pub first: usize,
}

/// What the networks and the objective give for a minibatch. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the file, explained in its README")]
pub struct Outputs {
    pub z: Summary,
    pub hidden: Summary,
    pub logits: Vec<Vec<f64>>,
    pub value: Vec<f64>,
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
    pub z_classes: Option<Vec<Vec<u32>>>,
    pub z_prime_classes: Option<Vec<Vec<u32>>>,
}

/// The file of one minibatch and one step of the optimiser. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the file, explained in its README")]
pub struct GoldenFile {
    #[serde(flatten)]
    pub setting: Setting,
    #[serde(flatten)]
    pub transitions: Transitions,
    #[serde(flatten)]
    pub outputs: Outputs,
    pub grads: BTreeMap<String, Summary>,
    pub params_after_one_step: BTreeMap<String, Summary>,
    pub world_model: Option<WorldModelValues>,
    pub encoder_logits: Option<Summary>,
    pub critic_z: Option<Summary>,
    pub critic_hidden: Option<Summary>,
    #[serde(default)]
    pub rounding_noise_gradients: Vec<String>,
    pub grads_f64: Option<BTreeMap<String, Summary>>,
    pub gradient_penalty: Option<f64>,
    pub transition_gradient_penalty: Option<f64>,
    pub reward_gradient_penalty: Option<f64>,
    pub gradient_penalty_grads: Option<BTreeMap<String, Summary>>,
    pub corrected_target_z_prime: Option<Corrected>,
    pub corrected_axis_order: Option<Corrected>,
}

/// Outputs of the world model.
#[derive(Clone, Debug, Deserialize)]
pub struct WorldModelValues {
    pub(super) weights: Option<Vec<Vec<f64>>>,
    pub(super) logits: Option<Summary>,
    pub(super) sample: Option<Summary>,
    pub(super) sampled_classes: Option<Vec<Vec<u32>>>,
    pub(super) reward: Vec<f64>,
}

/// The same minibatch without a defect of the authors' code.
#[derive(Clone, Debug, Deserialize)]
pub struct Corrected {
    pub(super) transition_loss: PerSample,
    pub(super) reward_loss: PerSample,
    pub(super) loss: f64,
    pub(super) pg_loss: f64,
    pub(super) grad_global_norm: f64,
    pub(super) grads: BTreeMap<String, Summary>,
    pub(super) grads_f64: Option<BTreeMap<String, Summary>>,
}

impl GoldenFile {
    /// Parses the text of such a file and checks the lengths of its vectors.
    ///
    /// # Errors
    /// If it is not JSON of this form.
    pub fn parse(text: &str) -> Result<Self, GoldenError> {
        let file: Self = serde_json::from_str(text)?;
        file.setting.check_lengths(&file.transitions, &file.outputs)?;
        Ok(file)
    }
}

impl Setting {
    /// Checks that every vector has an entry for each sample.
    ///
    /// # Errors
    /// The first that has not.
    pub(super) fn check_lengths(
        &self,
        transitions: &Transitions,
        outputs: &Outputs,
    ) -> Result<(), GoldenError> {
        let lengths = [
            ("logits", outputs.logits.len()),
            ("value", outputs.value.len()),
            ("old_logprob", transitions.old_logprob.len()),
            ("reward", transitions.reward.len()),
            ("advantage", transitions.advantage.len()),
            ("returns", transitions.returns.len()),
            ("done", transitions.done.len()),
            ("entropy", outputs.entropy.len()),
        ];
        for (name, found) in lengths {
            if found != self.batch {
                return Err(GoldenError::Length { name, found, expected: self.batch });
            }
        }
        Ok(())
    }

    /// The configuration the file was computed with, with the defects of the authors' code.
    ///
    /// # Errors
    /// If the transition density or an option is unknown.
    pub fn config(&self) -> Result<Config, GoldenError> {
        let mut config = Config {
            algo: if self.deep_mdp { Algorithm::DeepMdp } else { Algorithm::DeepSpi },
            learning_rate: self.learning_rate_at_step_0.unwrap_or(Config::DEFAULT.learning_rate),
            world_model: WorldModelConfig {
                reward_loss_coef: self.reward_loss_coef,
                transition_loss_coef: self.transition_loss_coef,
                transition_density: named(&self.transition_density)?,
                lipschitz_nets: self.lipschitz_nets,
                spectral_mode: SpectralMode::Parity,
                mixture_layout: MixtureLayout::Parity,
                cost_target: CostTarget::Parity,
                softmoe_layout: SoftMoeLayout::Parity,
                ..WorldModelConfig::DEFAULT
            },
            objective: if self.drift_formulation { Objective::Drift } else { Objective::Clip },
            ..Config::default()
        };
        for (name, value) in &self.options {
            set_option(&mut config, name, value)?;
        }
        Ok(config)
    }

    /// [`Self::config`] of a file of DreamSPI, in the authors' order of updates.
    ///
    /// # Errors
    /// As [`Self::config`].
    pub fn dream_config(&self) -> Result<Config, GoldenError> {
        let mut config = Config { algo: Algorithm::DreamSpi, ..self.config()? };
        config.dream.dream_mode = DreamMode::Parity;
        Ok(config)
    }

    /// The networks the file was computed with.
    #[must_use]
    pub fn spec(&self) -> NetworkSpec {
        let frame = FrameShape { channels: self.channels, height: 84, width: 84 };
        NetworkSpec::atari(frame, self.actions)
    }
}

/// The choice with a name of the authors, who write `_` and capital letters where files here have `-`
/// and small ones.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, GoldenError> {
    let name = name.replace('_', "-").to_lowercase();
    Ok(serde_json::from_value(serde_json::Value::String(name))?)
}

/// Sets an option under the authors' name.
fn set_option(
    config: &mut Config,
    name: &str,
    value: &serde_json::Value,
) -> Result<(), GoldenError> {
    let unknown = || GoldenError::Option { name: name.to_owned(), value: value.clone() };
    let flag = || value.as_bool().ok_or_else(unknown);
    let text = || value.as_str().ok_or_else(unknown);
    let (networks, model) = (&mut config.networks, &mut config.world_model);
    match name {
        "mixture_layout" => model.mixture_layout = named(text()?)?,
        "use_huber" => {
            config.value_loss = if flag()? { ValueLoss::Huber } else { ValueLoss::Squared };
        }
        "w_balancing" => model.transition_balance = if flag()? { AUTHORS_BALANCE } else { 0.0 },
        "piecewise_auxiliary_ratio" => config.deep_spi.piecewise_auxiliary_ratio = flag()?,
        "activation" => networks.activation = named(text()?)?,
        "use_layer_norm" => networks.use_layer_norm = flag()?,
        "layer_norm_cnn_output" => networks.layer_norm_cnn_output = flag()?,
        "hadamard_representation" => networks.hadamard_representation = flag()?,
        "dreamer_architecture" => networks.dreamer_architecture = flag()?,
        "decoupled_repr" => networks.decoupled_repr = flag()?,
        "use_attention" => networks.use_attention = flag()?,
        "use_feature_group" => model.use_feature_group = flag()?,
        "auxiliary_task_net_type" => model.categorical_network = named(text()?)?,
        "categorical_cost" => model.categorical_cost = named(text()?)?,
        "lambda_gp" => model.lambda_gp = value.as_f64().ok_or_else(unknown)? as f32,
        "use_wgan_gp" if flag()? => model.gradient_penalty = GradientPenalty::Wgan,
        "wasserstein_discriminator" => config.dream.wasserstein_discriminator = flag()?,
        "discriminator_obs_encoder" => config.dream.discriminator_obs_encoder = flag()?,
        "use_gumbel_softmax" => model.use_gumbel_softmax = flag()?,
        _ => return Err(unknown()),
    }
    Ok(())
}
