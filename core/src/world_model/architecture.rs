//! How the networks of a world model are built: the one choice that decides layers, activations and
//! the family of the predicted distribution. It is made once, when the model is built.

use deepspi_run::config::{Config, MixtureLayout};

use crate::nn::{Spectral, StartVector};

/// The kind of all networks of a world model.
#[derive(Clone, Debug)]
pub enum Architecture {
    /// Normalised kernels and GroupSort: each layer's Lipschitz constant is bounded as far as the
    /// normalisation promises it.
    Lipschitz(Spectral),
    /// Plain kernels and ReLU, without any bound.
    Free(MixtureLayout),
}

impl Architecture {
    /// What a configuration asks for; `start` is the start vector of the power iterations.
    #[must_use]
    pub fn of(config: &Config, start: StartVector) -> Self {
        if config.world_model.lipschitz_nets {
            Self::Lipschitz(Spectral { mode: config.world_model.spectral_mode, start })
        } else {
            Self::Free(config.world_model.mixture_layout)
        }
    }
}
