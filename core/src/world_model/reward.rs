//! Latent reward model `Rbar(z, a)` (docs/deepspi.md, sections 3.5 and 3.6).

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Activation, CategoricalNetwork};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use super::architecture::{Architecture, CategoricalArchitecture};
use super::categories::CategorySizes;
use super::latent::Latent;
use super::soft_moe::SoftMoe;
use crate::nn::perceptron::Perceptron;
use crate::nn::tokens::TokenTable;
use crate::nn::{Dense, Spectral, group_sort, slope};
use crate::ops::choice::chosen;

/// A reward network. Its variants name their parameters so that checkpoints from before there were
/// others stay readable.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a model has one")]
pub enum RewardNetwork {
    /// Dense layers on the flattened latent.
    Dense(DenseReward),
    /// Dense layers on the tokens of categories.
    Tokens(TokenReward),
    /// A soft mixture of experts, and a dense layer.
    Experts(ExpertReward),
}

/// Lipschitz: two hidden layers with GroupSort; plain: one hidden layer with an activation.
#[derive(Module, Debug)]
pub struct DenseReward {
    /// Hidden layers, then the layer with one output per action.
    pub layers: Vec<Dense>,
    /// Normalisation of the Lipschitz network; none for the plain one.
    #[module(skip)]
    pub spectral: Option<Spectral>,
    #[module(skip)]
    activation: Activation,
}

/// Tokens of the categories, hidden layers, one output per action. It does not see the action.
#[derive(Module, Debug)]
pub struct TokenReward {
    /// Tokens of the categories.
    pub tokens: TokenTable,
    /// Hidden layers.
    pub hidden: Perceptron,
    /// One output per action.
    pub output: Dense,
    /// Whether rewards are bounded to (-1, 1).
    #[module(skip)]
    is_bounded: bool,
}

/// Outputs of the experts for the chosen action, and a dense layer on all of them.
#[derive(Module, Debug)]
pub struct ExpertReward {
    /// The experts.
    pub experts: SoftMoe,
    /// To the reward.
    pub output: Dense,
}

impl RewardNetwork {
    /// Initial parameters.
    pub fn new(
        spec: &NetworkSpec,
        latent: Latent,
        architecture: &Architecture,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let (inputs, width, actions) = (latent.dimensions(), spec.reward_hidden, spec.actions);
        match architecture {
            Architecture::Lipschitz { spectral, .. } => {
                let widths = [inputs, width, width, actions];
                Self::Dense(DenseReward::new(
                    &widths,
                    Some(spectral),
                    Activation::Relu,
                    rng,
                    device,
                ))
            }
            Architecture::Plain { activation, .. } => {
                let widths = [inputs, spec.hidden, actions];
                Self::Dense(DenseReward::new(&widths, None, *activation, rng, device))
            }
            Architecture::Categorical(architecture) => {
                let sizes = &CategorySizes::of(spec, latent, architecture);
                match architecture.network {
                    CategoricalNetwork::Conv => {
                        let widths = [inputs, spec.hidden, actions];
                        let activation = architecture.hidden.activation;
                        Self::Dense(DenseReward::new(&widths, None, activation, rng, device))
                    }
                    CategoricalNetwork::Fc | CategoricalNetwork::Transformer => {
                        Self::Tokens(TokenReward::new(sizes, architecture, rng, device))
                    }
                    CategoricalNetwork::SoftMoe => Self::Experts(ExpertReward {
                        experts: SoftMoe::new(sizes, architecture.layout, rng, device),
                        output: Dense::lecun_normal(rng, [inputs, 1], device),
                    }),
                }
            }
        }
    }

    /// The derivative `[B, D]` of predicted rewards by flattened latents; in it gradients flow to the
    /// parameters. None if the network has none: only the plain one does.
    #[must_use]
    pub fn slope(&self, latents: Tensor<4>, actions: Tensor<2>) -> Option<Tensor<2>> {
        match self {
            Self::Dense(network) if network.spectral.is_none() => {
                Some(network.slope(latents.flatten(1, 3), actions))
            }
            _ => None,
        }
    }

    /// Predicted reward `[B]` of latents `[B, h, w, c]` and actions `[B, A]` (one-hot).
    #[must_use]
    pub fn forward(&self, latents: Tensor<4>, actions: Tensor<2>) -> Tensor<1> {
        match self {
            Self::Dense(network) => network.forward(latents, actions),
            Self::Tokens(network) => network.forward(latents, actions),
            Self::Experts(network) => {
                let outputs = network.experts.forward(latents, actions);
                network.output.forward(outputs.flatten(1, 2)).squeeze_dim(1)
            }
        }
    }
}

impl DenseReward {
    fn new(
        widths: &[usize],
        spectral: Option<&Spectral>,
        activation: Activation,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let layers = widths.windows(2).map(|w| Dense::lecun_normal(rng, [w[0], w[1]], device));
        Self { layers: layers.collect(), spectral: spectral.cloned(), activation }
    }

    fn slope(&self, latents: Tensor<2>, actions: Tensor<2>) -> Tensor<2> {
        let (hidden, output) = (&self.layers[0], &self.layers[1]);
        let raw = hidden.forward(latents);
        let by_hidden = actions.matmul(output.kernel.val().transpose());
        (by_hidden * slope(self.activation, raw)).matmul(hidden.kernel.val().transpose())
    }

    fn forward(&self, latents: Tensor<4>, actions: Tensor<2>) -> Tensor<1> {
        let spectral = self.spectral.as_ref();
        let mut x = latents.flatten(1, 3);
        for (i, layer) in self.layers.iter().enumerate() {
            let is_hidden = i + 1 < self.layers.len();
            x = match spectral {
                None if is_hidden => layer.forward_activated(x, self.activation),
                _ => layer.forward_spectral(x, spectral),
            };
            if is_hidden && spectral.is_some() {
                x = group_sort(x);
            }
        }
        of_action(x, actions)
    }
}

impl TokenReward {
    fn new(
        sizes: &CategorySizes,
        architecture: &CategoricalArchitecture,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let CategorySizes { categories, classes, token, actions, .. } = *sizes;
        let mut widths = vec![categories * token];
        widths.extend(&sizes.hidden);
        let last = widths[widths.len() - 1];
        Self {
            tokens: TokenTable::new([categories, classes], token, 1.0, rng, device),
            hidden: Perceptron::new(&widths, architecture.hidden, rng, device),
            output: Dense::lecun_normal(rng, [last, actions], device),
            is_bounded: architecture.bounded_reward,
        }
    }

    fn forward(&self, latents: Tensor<4>, actions: Tensor<2>) -> Tensor<1> {
        let tokens = self.tokens.embed(latents.squeeze_dim(1)).flatten::<2>(1, 2);
        let all = self.output.forward(self.hidden.forward(tokens));
        of_action(if self.is_bounded { sigmoid(all) * 2.0 - 1.0 } else { all }, actions)
    }
}

/// The output `[B]` of the chosen action among `[B, A]`.
fn of_action(all: Tensor<2>, actions: Tensor<2>) -> Tensor<1> {
    chosen(all.unsqueeze_dim(1), actions, false).squeeze_dim(1)
}
