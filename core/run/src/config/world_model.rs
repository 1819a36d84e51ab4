//! Hyper-parameters of the world model: the table `[world_model]`.

use deepspi_options::{ConfigError, fields};

use super::{
    CategoricalCost, CategoricalNetwork, CostTarget, DoneLabels, GradientPenalty, LatentDistance,
    MixtureLayout, SoftMoeLayout, SpectralMode, TransitionDensity,
};

fields! {
    /// The world model and its losses; read by every algorithm that has one.
    #[derive(Copy)]
    pub struct WorldModelConfig, overrides WorldModelOverrides {
        /// alpha_R, weight of the reward loss l_R, >= 0; relative to unit-variance advantages. The
        /// paper's theory has it in (0, 1].
        ["World model"]
        reward_loss_coef: f32 = 0.01;
        /// alpha_P, weight of the transition loss l_P, >= 0. The paper's theory has it in (0, 1].
        ["World model"]
        transition_loss_coef: f32 = 0.0005;
        /// Family of the latent transition model.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        transition_density: TransitionDensity = TransitionDensity::MixtureNormal;
        /// Lipschitz-constrained world model (spectral layers, GroupSort); off: plain ReLU
        /// networks. Categorical latents have plain networks only and do not read it.
        ["World model"]
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
        /// Feature groups in the convolutional transition networks: 16 groups in the Lipschitz
        /// network, depthwise in the plain one.
        ["World model"]
        use_feature_group: bool = true;
        /// Transition network of categorical latents.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        categorical_network: CategoricalNetwork = CategoricalNetwork::Fc;
        /// l_P of categorical latents.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        categorical_cost: CategoricalCost = CategoricalCost::L2;
        /// Target of the costs cross-entropy and jensen-shannon.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        cost_target: CostTarget = CostTarget::Next;
        /// Order of outputs of the soft mixture of experts.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        softmoe_layout: SoftMoeLayout = SoftMoeLayout::Corrected;
        /// Sample categorical latents by the Gumbel-softmax, whose gradient depends on the sample.
        ["World model"]
        use_gumbel_softmax: bool = false;
        /// Bound predicted rewards to (-1, 1); only in the fully connected reward network of
        /// categorical latents.
        ["World model"]
        clip_reward_net_output: bool = false;
        /// Predict the ends of episodes; its loss has the weight alpha_R. dream-spi always does.
        ["World model"]
        done_predictor: bool = false;
        /// Labels of the done predictor on the step after an end, which only returns the next start.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        done_labels: DoneLabels = DoneLabels::Corrected;
        /// Weight of the gradient penalty of the world model, >= 0; only with plain networks of
        /// continuous latents. The authors' value for them is 0.01.
        ["World model"]
        lambda_gp: f32 = 0.0;
        /// What the gradient penalty wants.
        ["World model"] #[cfg_attr(feature = "cli", arg(value_enum))]
        gradient_penalty: GradientPenalty = GradientPenalty::Lipschitz;
    }
}

impl WorldModelConfig {
    /// Whether the networks have normalised kernels.
    #[must_use]
    pub fn has_lipschitz_nets(&self) -> bool {
        self.lipschitz_nets && self.transition_density != TransitionDensity::Categorical
    }

    /// Checks every field against its range.
    ///
    /// # Errors
    /// The first field out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (field, value) in [
            ("reward_loss_coef", self.reward_loss_coef),
            ("transition_loss_coef", self.transition_loss_coef),
            ("lambda_gp", self.lambda_gp),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                let (value, allowed) = (value.to_string(), "a finite number >= 0");
                return Err(ConfigError { field, value, allowed });
            }
        }
        if !(0.0..1.0).contains(&self.transition_balance) {
            return Err(ConfigError {
                field: "transition_balance",
                value: self.transition_balance.to_string(),
                allowed: "0 (off) to below 1",
            });
        }
        self.validate_combinations()
    }

    /// Refuses fields that exclude each other.
    fn validate_combinations(&self) -> Result<(), ConfigError> {
        let refuse = |field, value: &str, allowed| {
            Err(ConfigError { field, value: value.to_owned(), allowed })
        };
        let categorical = self.transition_density == TransitionDensity::Categorical;
        if categorical
            && self.categorical_network == CategoricalNetwork::Conv
            && self.use_feature_group
        {
            let allowed = "false with categorical_network = conv: its layers cannot be grouped";
            return refuse("use_feature_group", "true", allowed);
        }
        if self.lambda_gp > 0.0 && (categorical || self.lipschitz_nets) {
            let allowed = "0, or lipschitz_nets = false with continuous latents: only the plain \
                           networks have a gradient penalty";
            return refuse("lambda_gp", &self.lambda_gp.to_string(), allowed);
        }
        let has_cost = matches!(
            self.categorical_cost,
            CategoricalCost::CrossEntropy | CategoricalCost::JensenShannon
        );
        if categorical && has_cost && self.transition_balance > 0.0 {
            let allowed = "0 with the costs cross-entropy and jensen-shannon, which it does not \
                           change";
            return refuse("transition_balance", &self.transition_balance.to_string(), allowed);
        }
        if self.clip_reward_net_output
            && !(categorical
                && matches!(
                    self.categorical_network,
                    CategoricalNetwork::Fc | CategoricalNetwork::Transformer
                ))
        {
            let allowed = "false, or transition_density = categorical with categorical_network = \
                           fc or transformer: no other reward network has it";
            return refuse("clip_reward_net_output", "true", allowed);
        }
        Ok(())
    }
}
