//! The interface between a run and the algorithm that learns in it.
//!
//! The trainer, checkpoints, logs and the page know an algorithm only through [`Algorithm`]: named
//! groups of parameters, one iteration on an environment, a policy, named metrics, and its state as
//! named sections. The data for *showing* an algorithm (label, configuration fields, list of
//! metrics) is in `deepspi_run::algorithm`, because the page shows algorithms without running them.
//!
//! To add an algorithm, add a folder here, an arm in [`new`] and an entry in
//! `deepspi_run::algorithm`. [`new`] is the only place that chooses an algorithm by its name.

pub mod deep_spi;
pub mod dream_spi;
pub mod metrics;
pub mod off_policy;
mod seam;
mod stored;

use burn::tensor::Device;
use deepspi_run::config::{self, Config};
use deepspi_run::network::NetworkSpec;

pub use self::seam::{Algorithm, IterationReport, Working};

/// The configured algorithm at the start of a run. No other code selects an algorithm by its name.
#[must_use]
pub fn new(config: &Config, spec: &NetworkSpec, device: &Device) -> Box<dyn Algorithm> {
    match config.algo {
        config::Algorithm::DeepSpi | config::Algorithm::DeepMdp | config::Algorithm::Ppo => {
            Box::new(deep_spi::DeepSpi::new(config, spec, device))
        }
        config::Algorithm::DreamSpi => Box::new(dream_spi::DreamSpi::new(config, spec, device)),
    }
}
