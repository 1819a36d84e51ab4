//! The architecture of a world model: layers, activations and the family of the predicted
//! distribution. It is chosen once, when the model is built.

use deepspi_run::config::{
    Activation, CategoricalCost, CategoricalNetwork, Config, CostTarget, MixtureLayout,
    SoftMoeLayout,
};

use crate::nn::perceptron::HiddenLayers;
use crate::nn::{Spectral, StartVector};

/// The architecture of all networks of a world model.
#[derive(Clone, Debug)]
pub enum Architecture {
    /// Normalised kernels and GroupSort. Each layer is 1-Lipschitz in the spectral mode `Exact`; in
    /// `Parity` it need not be.
    Lipschitz {
        /// The normalisation.
        spectral: Spectral,
        /// Whether the last convolution is grouped.
        grouped: bool,
    },
    /// Plain kernels, without a Lipschitz bound.
    Plain {
        /// How a mixture reads its components.
        layout: MixtureLayout,
        /// Activation of hidden layers and of locations.
        activation: Activation,
        /// Whether there is a depthwise convolution after the first.
        grouped: bool,
    },
    /// Networks over the categories of a latent.
    Categorical(CategoricalArchitecture),
}

/// The networks of categorical latents.
#[derive(Clone, Debug)]
pub struct CategoricalArchitecture {
    /// Transition network.
    pub network: CategoricalNetwork,
    /// Order of outputs of a soft mixture of experts.
    pub layout: SoftMoeLayout,
    /// Hidden layers of the fully connected networks.
    pub hidden: HiddenLayers,
    /// Whether hidden layers are as many and as wide as Dreamer's.
    pub is_dreamer: bool,
    /// Whether predicted rewards are bounded.
    pub bounded_reward: bool,
    /// l_P.
    pub cost: CategoricalCost,
    /// What cross-entropy and Jensen-Shannon compare with.
    pub target: CostTarget,
    /// Whether samples are relaxed by the Gumbel-softmax.
    pub gumbel_softmax: bool,
}

impl Architecture {
    /// The architecture that a configuration selects; `start` is the start vector of the power
    /// iterations.
    #[must_use]
    pub fn of(config: &Config, start: StartVector) -> Self {
        let model = &config.world_model;
        let activation = config.networks.activation;
        if config.has_categorical_latents() {
            return Self::Categorical(CategoricalArchitecture {
                network: model.categorical_network,
                layout: model.softmoe_layout,
                hidden: HiddenLayers {
                    activation,
                    normalised: config.networks.use_layer_norm,
                    orthogonal: false,
                },
                is_dreamer: config.networks.dreamer_architecture,
                bounded_reward: model.clip_reward_net_output,
                cost: model.categorical_cost,
                target: model.cost_target,
                gumbel_softmax: model.use_gumbel_softmax,
            });
        }
        let grouped = model.use_feature_group;
        if model.lipschitz_nets {
            let spectral = Spectral { mode: model.spectral_mode, start };
            Self::Lipschitz { spectral, grouped }
        } else {
            Self::Plain { layout: model.mixture_layout, activation, grouped }
        }
    }
}
