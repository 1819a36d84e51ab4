//! The architecture of a world model: layers, activations and the family of the predicted
//! distribution. It is chosen once, when the model is built.

use deepspi_run::config::{Config, MixtureLayout};

use crate::nn::{Spectral, StartVector};

/// The architecture of all networks of a world model.
#[derive(Clone, Debug)]
pub enum Architecture {
    /// Normalised kernels and GroupSort. Each layer is 1-Lipschitz in the spectral mode `Exact`; in
    /// `Parity` it need not be.
    Lipschitz(Spectral),
    /// Plain kernels and ReLU, without a Lipschitz bound.
    Free(MixtureLayout),
}

impl Architecture {
    /// The architecture that a configuration selects; `start` is the start vector of the power
    /// iterations.
    #[must_use]
    pub fn of(config: &Config, start: StartVector) -> Self {
        if config.world_model.lipschitz_nets {
            Self::Lipschitz(Spectral { mode: config.world_model.spectral_mode, start })
        } else {
            Self::Free(config.world_model.mixture_layout)
        }
    }
}
