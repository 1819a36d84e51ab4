//! The trunk: from latents to the hidden activations that the heads read.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Activation, Config, NetworksConfig};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use super::attention::TransformerBlock;
use super::layers::Dense;
use super::perceptron::{HiddenLayers, Perceptron};
use super::tokens::{TokenTable, normal_table};

/// Width of a token in the attention trunk.
const TOKEN: usize = 32;
/// Blocks of the attention trunk.
const BLOCKS: usize = 2;
/// Standard deviations of the initial entries of its tables.
const TABLE_DEVIATION: f32 = 0.1;
const POSITION_DEVIATION: f32 = 0.02;
/// Layers of the trunk of Dreamer's size.
const DREAMER_LAYERS: usize = 4;

/// A trunk. Its variants name their parameters so that checkpoints from before there were others
/// stay readable.
#[derive(Module, Debug)]
pub enum Trunk {
    /// One dense layer with an activation.
    Dense(Dense),
    /// Several layers, layer normalisation, or the Hadamard product.
    Deep(DeepTrunk),
    /// Attention over the tokens of the categories.
    Attention(AttentionTrunk),
}

/// Two layers whose product is taken, if wanted, then hidden layers.
#[derive(Module, Debug)]
pub struct DeepTrunk {
    /// The two factors of the Hadamard product, with tanh each; or none.
    pub factors: Vec<Dense>,
    /// Hidden layers.
    pub hidden: Perceptron,
}

/// Tokens of the categories, attention among them, and a dense layer.
#[derive(Module, Debug)]
pub struct AttentionTrunk {
    /// Tokens of width 32.
    pub tokens: TokenTable,
    /// Added to the tokens, `[categories, 32]`.
    pub positions: Param<Tensor<2>>,
    /// Two blocks.
    pub blocks: Vec<TransformerBlock>,
    /// From all tokens to the hidden activations, with ReLU.
    pub output: Dense,
}

/// Widths of a run's hidden layers.
#[must_use]
pub fn hidden_widths(spec: &NetworkSpec, is_dreamer: bool) -> Vec<usize> {
    if is_dreamer { vec![dreamer_width(spec); DREAMER_LAYERS] } else { vec![spec.hidden] }
}

/// 400 instead of 512, and the same share of other sizes.
const fn dreamer_width(spec: &NetworkSpec) -> usize {
    (spec.hidden * 25).div_ceil(32)
}

/// How the hidden layers of a run's trunks are made.
fn layers(config: &NetworksConfig) -> HiddenLayers {
    HiddenLayers {
        activation: config.activation,
        normalised: config.use_layer_norm,
        orthogonal: config.activation == Activation::Relu,
    }
}

impl Trunk {
    /// Initial parameters; `inputs` is the number of latent dimensions, and only the trunk of a
    /// categorical latent can have attention.
    pub fn new(
        spec: &NetworkSpec,
        config: &Config,
        inputs: usize,
        attention: bool,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let networks = &config.networks;
        if attention {
            return Self::Attention(AttentionTrunk::new(spec, networks, rng, device));
        }
        let mut widths = vec![inputs];
        widths.extend(hidden_widths(spec, networks.dreamer_architecture));
        let hidden = layers(networks);
        let NetworksConfig { use_layer_norm, hadamard_representation, .. } = *networks;
        if widths.len() == 2 && !use_layer_norm && !hadamard_representation {
            let mut hidden = Perceptron::new(&widths, hidden, rng, device);
            return Self::Dense(hidden.layers.remove(0));
        }
        let factors = if hadamard_representation {
            let shape = [inputs, spec.hidden];
            widths[0] = spec.hidden;
            (0..2).map(|_| Dense::lecun_normal(rng, shape, device)).collect()
        } else {
            Vec::new()
        };
        Self::Deep(DeepTrunk { factors, hidden: Perceptron::new(&widths, hidden, rng, device) })
    }

    /// Number of hidden activations that it gives.
    #[must_use]
    pub fn outputs(&self) -> usize {
        let layer = match self {
            Self::Dense(layer) => layer,
            Self::Deep(trunk) => &trunk.hidden.layers[trunk.hidden.layers.len() - 1],
            Self::Attention(trunk) => &trunk.output,
        };
        layer.bias.dims()[0]
    }

    /// Hidden activations `[B, outputs]` of latents `[B, h, w, c]`.
    #[must_use]
    pub fn forward(&self, latents: Tensor<4>, activation: Activation) -> Tensor<2> {
        match self {
            Self::Dense(layer) => layer.forward_activated(latents.flatten(1, 3), activation),
            Self::Deep(trunk) => trunk.forward(latents.flatten(1, 3)),
            Self::Attention(trunk) => trunk.forward(latents.squeeze_dim(1)),
        }
    }
}

impl DeepTrunk {
    fn forward(&self, latents: Tensor<2>) -> Tensor<2> {
        let factors = self.factors.iter().map(|layer| layer.forward(latents.clone()).tanh());
        self.hidden.forward(factors.reduce(|a, b| a * b).unwrap_or(latents))
    }
}

impl AttentionTrunk {
    fn new(
        spec: &NetworkSpec,
        config: &NetworksConfig,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let NetworksConfig { n_cat, n_cls, .. } = *config;
        Self {
            tokens: TokenTable::new([n_cat, n_cls], TOKEN, TABLE_DEVIATION, rng, device),
            positions: normal_table(rng, [n_cat, TOKEN], POSITION_DEVIATION, device),
            blocks: (0..BLOCKS).map(|_| TransformerBlock::new(TOKEN, rng, device)).collect(),
            output: Dense::orthogonal(rng, [n_cat * TOKEN, spec.hidden], 2.0_f32.sqrt(), device),
        }
    }

    fn forward(&self, latents: Tensor<3>) -> Tensor<2> {
        let tokens = self.tokens.embed(latents) + self.positions.val().unsqueeze_dim(0);
        let tokens = self.blocks.iter().fold(tokens, |tokens, block| block.forward(tokens, None));
        relu(self.output.forward(tokens.flatten(1, 2)))
    }
}
