//! The state of a run that does not belong to its algorithm: configuration, counters, generators,
//! done flags.

use burn::tensor::Device;
use deepspi_options::ConfigError;
use deepspi_run::config::Config;
use deepspi_run::monitor::EpisodeTracker;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::EnvError;
use deepspi_worlds::rng::Generators;

/// A run between two iterations, without its algorithm.
#[derive(Clone, Debug)]
pub struct RunState {
    /// Hyper-parameters.
    pub config: Config,
    /// Sizes of the networks.
    pub spec: NetworkSpec,
    /// Device of the tensors, without autodiff.
    pub device: Device,
    /// Generators of actions, shuffles and noise.
    pub generators: Generators,
    /// Iterations completed.
    pub iteration: u64,
    /// Returns of finished and running episodes.
    pub tracker: EpisodeTracker,
    /// Done flags of the environments' current observations, `[N]`.
    pub dones: Vec<bool>,
    /// Whether every iteration also reports its batch. Not part of a checkpoint.
    pub watches_batches: bool,
}

impl RunState {
    /// The state at the start of a run.
    #[must_use]
    pub fn new(config: Config, spec: NetworkSpec, device: &Device) -> Self {
        Self {
            generators: Generators::new(config.seed),
            iteration: 0,
            tracker: EpisodeTracker::new(config.num_envs),
            dones: vec![false; config.num_envs],
            watches_batches: false,
            device: device.clone(),
            config,
            spec,
        }
    }

    /// Agent steps of the completed iterations.
    #[must_use]
    pub const fn global_step(&self) -> u64 {
        self.iteration * self.config.batch_size() as u64
    }

    /// Refuses values that are NaN or infinite.
    ///
    /// # Errors
    /// The first such value, with the name of its quantity and the index of the update.
    pub fn check_finite(
        &self,
        quantity: &str,
        values: &[f32],
        update: Option<usize>,
    ) -> Result<(), TrainError> {
        values.iter().find(|x| !x.is_finite()).map_or(Ok(()), |value| {
            Err(TrainError::NotFinite(NotFinite {
                quantity: quantity.to_owned(),
                value: value.to_string(),
                iteration: self.iteration,
                update,
            }))
        })
    }
}

/// Why an iteration could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A configuration value outside its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The environment failed.
    #[error("the environment failed: {0}")]
    Environment(#[source] EnvError),
    /// The device failed.
    #[error(transparent)]
    Core(#[from] crate::Error),
    /// A loss, gradient or parameter is NaN or infinite.
    #[error("{0}")]
    NotFinite(NotFinite),
}

/// The first quantity that was NaN or infinite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// Name of the quantity.
    pub quantity: String,
    /// NaN or infinity, as text.
    pub value: String,
    /// Iteration from 0.
    pub iteration: u64,
    /// Index of the update within the iteration, from 0; none for a quantity of the whole
    /// iteration.
    pub update: Option<usize>,
}

impl std::fmt::Display for NotFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { quantity, value, iteration, update } = self;
        write!(f, "{quantity} became {value} in iteration {iteration}")?;
        update.map_or(Ok(()), |update| write!(f, ", update {update}"))
    }
}
