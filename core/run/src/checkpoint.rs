//! A run between two iterations as bytes.
//!
//! Three parts: parameters and moments as safetensors, everything else as JSON. Where and how safely
//! they are stored is the front end's business ([`crate::run_files`] has names and sums).

use deepspi_worlds::rng::Generators;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::monitor::EpisodeTracker;
use crate::network::NetworkSpec;

/// Version of the layout below; another one is refused.
pub const FORMAT: u32 = 1;

/// The bytes of a checkpoint.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Parameters, safetensors; tensors carry the names of the modules.
    pub model: Vec<u8>,
    /// Both moments of Adam, safetensors.
    pub optimiser: Vec<u8>,
    /// Everything else.
    pub state: State,
}

/// What a checkpoint holds besides tensors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// See [`FORMAT`].
    pub format: u32,
    /// Hyper-parameters of the run.
    pub config: Config,
    /// Sizes of the networks, and with them frames and action count.
    pub spec: NetworkSpec,
    /// Iterations completed.
    pub iteration: u64,
    /// Steps of Adam.
    pub optimiser_steps: u64,
    /// Generators of the run.
    pub generators: Generators,
    /// Returns so far.
    pub tracker: EpisodeTracker,
    /// Done flags of the environments.
    pub dones: Vec<bool>,
}
