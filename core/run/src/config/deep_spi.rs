//! Hyper-parameters that only DeepSPI and `DeepMDP` read (the table `[deep_spi]`), and the
//! requirements of a certified run.

use deepspi_options::{ConfigError, fields};

use super::{CategoricalNetwork, Config, LatentDistance, SpectralMode, TransitionDensity};
use crate::algorithm::Auxiliary;

fields! {
    /// The fields that only DeepSPI and DeepMDP read, besides those of the world model.
    #[derive(Copy)]
    pub struct DeepSpiConfig, overrides DeepSpiOverrides {
        /// Keep the premises of Theorem 3: ratios within C < 1/gamma after every update, exact
        /// Lipschitz networks, a metric latent distance; report the bound. Sets the options it
        /// needs.
        ["Theory"]
        certified: bool = false;
        /// Every sample has its own auxiliary losses inside the clip; off: all have the means of
        /// the minibatch.
        ["World model"]
        piecewise_auxiliary_ratio: bool = true;
        /// Decay of all parameters with the transformer of categorical latents (AdamW), >= 0; no
        /// other network reads it.
        ["World model"]
        weight_decay: f32 = 1e-4;
    }
}

impl Config {
    /// Weight decay of all parameters: only with the transformer of categorical latents, as in the
    /// authors' code.
    #[must_use]
    pub fn parameter_decay(&self) -> f32 {
        let is_transformer = self.has_categorical_latents()
            && self.world_model.categorical_network == CategoricalNetwork::Transformer;
        if is_transformer { self.deep_spi.weight_decay } else { 0.0 }
    }

    /// Names of the fields that [`Self::certify`] sets besides `certified` itself.
    pub const CERTIFIED_FIELDS: &'static [&'static str] =
        &["clip_coef", "lipschitz_nets", "spectral_mode", "latent_distance", "transition_density"];

    /// The configuration with all settings that `certified` requires: C half-way between 1 and
    /// `1 / gamma`, networks with a guaranteed Lipschitz bound, a density whose samples have the
    /// same bound, and a metric latent distance. Categorical latents stay: for them the theorem needs no
    /// Lipschitz network.
    #[must_use]
    pub fn certify(mut self) -> Self {
        self.deep_spi.certified = true;
        // From C = 2 on the neighbourhood could lose actions, for every gamma.
        self.clip_coef = (0.5 * (1.0 / self.gamma - 1.0)).min(0.5);
        self.world_model.lipschitz_nets = true;
        self.world_model.spectral_mode = SpectralMode::Exact;
        self.world_model.latent_distance = LatentDistance::Euclidean;
        if self.world_model.transition_density != TransitionDensity::Categorical {
            self.world_model.transition_density = TransitionDensity::Normal;
        }
        self
    }

    /// Checks the premises of Theorem 3 that depend on the configuration.
    pub(super) fn validate_certified(&self) -> Result<(), ConfigError> {
        let refuse = |field, value: String, allowed| Err(ConfigError { field, value, allowed });
        if self.clip_coef >= 1.0 / self.gamma - 1.0 {
            return refuse(
                "clip_coef",
                self.clip_coef.to_string(),
                "below 1/gamma - 1 with `certified`; leave it out to have it chosen",
            );
        }
        if self.algo.info().auxiliary == Auxiliary::Absent {
            let allowed = "an algorithm with a world model, such as deep-spi, with `certified`";
            return refuse("algo", self.algo.name().to_owned(), allowed);
        }
        if !self.uses_world_model() {
            // Without a world model no loss is measured, and a bound of 0 would be wrong.
            let allowed = "above 0, or transition_loss_coef above 0, with `certified`";
            return refuse("reward_loss_coef", "0".to_owned(), allowed);
        }
        if self.world_model.transition_density == TransitionDensity::MixtureNormal {
            let allowed = "normal, deterministic or categorical with `certified`: the weights of a mixture depend \
                           on the latent, and no constant bounds how fast";
            return refuse("transition_density", "mixture-normal".to_owned(), allowed);
        }
        if self.has_categorical_latents() {
            // The discrete distance bounds every policy and every network.
            return self.require_metric();
        }
        if !self.world_model.lipschitz_nets {
            return refuse("lipschitz_nets", "false".to_owned(), "true with `certified`");
        }
        if self.world_model.spectral_mode != SpectralMode::Exact {
            return refuse("spectral_mode", "parity".to_owned(), "exact with `certified`");
        }
        self.require_metric()
    }

    /// Rewards and latents must be compared by a metric.
    fn require_metric(&self) -> Result<(), ConfigError> {
        if self.world_model.latent_distance == LatentDistance::Euclidean {
            return Ok(());
        }
        Err(ConfigError {
            field: "latent_distance",
            value: "smooth-l1".to_owned(),
            allowed: "euclidean with `certified`",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;
    use crate::config::WorldModelConfig;

    #[test]
    fn a_certified_run_keeps_the_premises_of_theorem_3() {
        let config = Config { gamma: 0.9, ..Config::default() }.certify();
        config.validate().expect("valid");
        assert!((config.clip_coef - 0.0556).abs() < 1e-4);
        let broken = Config { clip_coef: 0.2, ..config.clone() };
        let error = broken.validate().expect_err("1.2 > 1 / 0.9").to_string();
        assert!(error.contains("`clip_coef` is 0.2"), "{error}");
        let ppo = Config { algo: Algorithm::Ppo, ..config.clone() };
        ppo.validate().expect_err("PPO has no world model");
        let mut discrete = Config { gamma: 0.9, ..Config::default() };
        discrete.world_model.transition_density = TransitionDensity::Categorical;
        let discrete = discrete.certify();
        assert!(discrete.has_categorical_latents());
        discrete.validate().expect("the discrete distance is a metric");
        let kept = config.world_model;
        for world_model in [
            WorldModelConfig { lipschitz_nets: false, ..kept },
            WorldModelConfig { reward_loss_coef: 0.0, transition_loss_coef: 0.0, ..kept },
            WorldModelConfig { transition_density: TransitionDensity::MixtureNormal, ..kept },
            WorldModelConfig { spectral_mode: SpectralMode::Parity, ..kept },
            WorldModelConfig { latent_distance: LatentDistance::SmoothL1, ..kept },
        ] {
            let broken = Config { world_model, ..config.clone() };
            broken.validate().expect_err("a premise is missing");
        }
    }
}
