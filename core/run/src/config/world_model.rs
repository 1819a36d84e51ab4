//! Hyper-parameters of the world model: the table `[world_model]`.

use deepspi_options::{ConfigError, fields};

use super::{LatentDistance, MixtureLayout, SpectralMode, TransitionDensity};

fields! {
    /// The world model and its losses; read by every algorithm that has one.
    #[derive(Copy)]
    pub struct WorldModelConfig, overrides WorldModelOverrides {
        /// alpha_R, weight of the reward loss l_R, in [0, 1]; relative to unit-variance advantages.
        ["World model"]
        reward_loss_coef: f32 = 0.01;
        /// alpha_P, weight of the transition loss l_P, in [0, 1].
        ["World model"]
        transition_loss_coef: f32 = 0.0005;
        /// Family of the latent transition model.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        transition_density: TransitionDensity = TransitionDensity::MixtureNormal;
        /// Lipschitz-constrained world model (spectral layers, GroupSort); off: plain ReLU
        /// networks.
        ["World model"] #[cfg_attr(feature = "cli", arg(action = clap::ArgAction::Set))]
        lipschitz_nets: bool = true;
        /// Normalisation of the spectral layers: as in the authors' code, or guaranteed
        /// 1-Lipschitz.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        spectral_mode: SpectralMode = SpectralMode::Parity;
        /// Component layout of the unconstrained mixture network.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        mixture_layout: MixtureLayout = MixtureLayout::Corrected;
        /// Distance of latents and of rewards in l_P and l_R.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        latent_distance: LatentDistance = LatentDistance::SmoothL1;
        /// Share w of the prediction in the gradient of l_P, in [0, 1); the encoder of the next
        /// observation gets 1 - w. 0: both get the whole gradient.
        ["World model"]
        transition_balance: f32 = 0.0;
    }
}

impl WorldModelConfig {
    /// Checks every field against its range.
    ///
    /// # Errors
    /// The first field out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (field, value) in [
            ("reward_loss_coef", self.reward_loss_coef),
            ("transition_loss_coef", self.transition_loss_coef),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(ConfigError { field, value: value.to_string(), allowed: "0 to 1" });
            }
        }
        if !(0.0..1.0).contains(&self.transition_balance) {
            return Err(ConfigError {
                field: "transition_balance",
                value: self.transition_balance.to_string(),
                allowed: "0 (off) to below 1",
            });
        }
        Ok(())
    }
}
