//! The seam between a run and the algorithm that learns in it.
//!
//! [`Algorithm`] is all that the trainer, checkpoints, logs and pages know of an algorithm: named groups of
//! parameters, one iteration on an environment, a policy, named metrics, and its state as named sections. What
//! has to be known to *show* an algorithm (label, fields of the configuration, list of metrics) is data in
//! `deepspi_run::algorithm`, because the page shows algorithms without running them.
//!
//! A new algorithm is a folder here, an arm in [`new`], and an entry there; nothing else names it.

pub mod deep_spi;
pub mod metrics;
mod seam;

use burn::tensor::Device;
use deepspi_run::config::{self, Config};
use deepspi_run::network::NetworkSpec;

pub use self::seam::{Algorithm, IterationReport, Working};

/// The configured algorithm at the start of a run. The only place that chooses by its name.
#[must_use]
pub fn new(config: &Config, spec: &NetworkSpec, device: &Device) -> Box<dyn Algorithm> {
    match config.algo {
        config::Algorithm::DeepSpi | config::Algorithm::DeepMdp | config::Algorithm::Ppo => {
            Box::new(deep_spi::DeepSpi::new(config, spec, device))
        }
    }
}
