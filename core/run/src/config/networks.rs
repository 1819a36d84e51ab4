//! Hyper-parameters of the agent's networks: the table `[networks]`.

use deepspi_options::{ConfigError, fields};

use super::{Activation, Config, TransitionDensity};

fields! {
    /// Layers of encoder, trunk and heads; read by every algorithm. Some also concern the world
    /// model.
    #[derive(Copy)]
    pub struct NetworksConfig, overrides NetworksOverrides {
        /// Activation of encoder, trunk and the unconstrained networks of the world model.
        ["Networks"] #[cfg_attr(feature = "cli", arg(value_enum))]
        activation: Activation = Activation::Relu;
        /// Layer normalisation before the activations of hidden layers: encoder (but its last
        /// layer), trunk, fully connected networks of categorical latents.
        ["Networks"]
        use_layer_norm: bool = false;
        /// Layer normalisation before the activation of the encoder's last convolution; not with
        /// categorical latents.
        ["Networks"]
        layer_norm_cnn_output: bool = false;
        /// Hadamard representation: the product of two tanh layers before the trunk.
        ["Networks"]
        hadamard_representation: bool = false;
        /// Four trunk layers of 400 instead of one of 512, as in Dreamer; the fully connected world
        /// model of categorical latents likewise.
        ["Networks"]
        dreamer_architecture: bool = false;
        /// The critic has an encoder and a trunk of its own.
        ["Networks"]
        decoupled_repr: bool = false;
        /// Trunk with two attention blocks over the categories; only with categorical latents.
        ["Networks"]
        use_attention: bool = false;
        /// Categories of a categorical latent, 1 to 256.
        ["Networks"]
        n_cat: usize = 32;
        /// Classes of each category of a categorical latent, 2 to 256.
        ["Networks"]
        n_cls: usize = 32;
    }
}

/// Largest number of categories, and of classes.
const MOST: usize = 256;

impl Config {
    /// Whether latents are categories and not real numbers. The density of the transition decides,
    /// for every algorithm.
    #[must_use]
    pub fn has_categorical_latents(&self) -> bool {
        self.world_model.transition_density == TransitionDensity::Categorical
    }

    /// Checks the fields of the agent's networks.
    pub(super) fn validate_networks(&self) -> Result<(), ConfigError> {
        let check = |ok: bool, field, value: String, allowed| {
            if ok { Ok(()) } else { Err(ConfigError { field, value, allowed }) }
        };
        let NetworksConfig { n_cat, n_cls, use_attention, layer_norm_cnn_output, .. } =
            self.networks;
        check((1..=MOST).contains(&n_cat), "n_cat", n_cat.to_string(), "1 to 256")?;
        check((2..=MOST).contains(&n_cls), "n_cls", n_cls.to_string(), "2 to 256")?;
        let categorical = self.has_categorical_latents();
        check(
            !use_attention || categorical,
            "use_attention",
            "true".to_owned(),
            "false, or transition_density = categorical: the attention is over the categories",
        )?;
        check(
            !layer_norm_cnn_output || !categorical,
            "layer_norm_cnn_output",
            "true".to_owned(),
            "false with transition_density = categorical, whose latents are not the output of a \
             convolution",
        )
    }
}
