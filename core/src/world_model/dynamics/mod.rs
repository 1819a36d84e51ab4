//! Latent transition networks `Pbar(. | z, a)` (docs/deepspi.md, sections 3.4 and 3.6), one file
//! per architecture.
//!
//! A network predicts [`Statistics`] in its own aligned layout and must not know which density
//! reads them. The last layer has outputs for every action, of which a sample uses one. Its kernel
//! is therefore selected per sample *before* the product (a product with the one-hot action): with
//! A actions this needs 1/A of the arithmetic and memory, and gives the same values.

mod category_convolution;
mod depthwise_convolution;
mod lipschitz_convolution;
mod plain_convolution;
mod pull_back;
mod token_perceptron;
mod transformer;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{CategoricalNetwork, MixtureLayout};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

pub use self::category_convolution::CategoryConvolution;
pub use self::depthwise_convolution::DepthwiseConvolution;
pub use self::lipschitz_convolution::LipschitzConvolution;
pub use self::plain_convolution::PlainConvolution;
pub use self::token_perceptron::TokenPerceptron;
pub use self::transformer::Transformer;
use super::architecture::Architecture;
use super::categories::{self, CategorySizes};
use super::density::{Density, Statistics};
use super::latent::{Alignment, Latent};
use super::soft_moe::SoftMoe;
use crate::nn::{Dense, Spectral};
use crate::ops::choice::chosen;
use crate::ops::conv::ConvGeometry;

/// Geometry of a 2x2 SAME convolution: zeros below and to the right.
const SAME_2X2: ConvGeometry = ConvGeometry { stride: 1, pad_end: 1 };
/// Taps of a 2x2 kernel.
const TAPS: usize = 4;

/// The transition network of a world model.
#[derive(Module, Debug)]
pub enum Dynamics {
    /// Grouped convolutions with normalised kernels.
    Lipschitz(LipschitzConvolution),
    /// Plain convolutions, the second one depthwise.
    Depthwise(DepthwiseConvolution),
    /// One plain convolution.
    Plain(PlainConvolution),
    /// Fully connected, for categories.
    Perceptron(TokenPerceptron),
    /// Convolutions over the table of categories and classes.
    Categories(CategoryConvolution),
    /// A soft mixture of experts, for categories.
    Experts(SoftMoe),
    /// A transformer, for categories.
    Transformer(Transformer),
}

impl Dynamics {
    /// Initial parameters of the architecture's network; `density` determines its outputs.
    pub fn new(
        spec: &NetworkSpec,
        latent: Latent,
        architecture: &Architecture,
        density: &dyn Density,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let sizes = Sizes {
            latent,
            actions: spec.actions,
            components: density.components(),
            statistics: density.statistics(),
        };
        match architecture {
            Architecture::Lipschitz { spectral, grouped } => {
                let groups = grouped.then_some(spec.transition_groups);
                let spectral = spectral.clone();
                Self::Lipschitz(LipschitzConvolution::new(sizes, groups, spectral, rng, device))
            }
            Architecture::Plain { layout, activation, grouped: true } => {
                Self::Depthwise(DepthwiseConvolution::new(sizes, *layout, *activation, rng, device))
            }
            Architecture::Plain { layout, .. } => {
                Self::Plain(PlainConvolution::new(sizes, *layout, rng, device))
            }
            Architecture::Categorical(architecture) => {
                let sizes = &CategorySizes::of(spec, latent, architecture);
                let hidden = architecture.hidden;
                match architecture.network {
                    CategoricalNetwork::Fc => {
                        Self::Perceptron(TokenPerceptron::new(sizes, hidden, rng, device))
                    }
                    CategoricalNetwork::Conv => Self::Categories(CategoryConvolution::new(
                        sizes,
                        hidden.activation,
                        rng,
                        device,
                    )),
                    CategoricalNetwork::SoftMoe => {
                        Self::Experts(SoftMoe::new(sizes, architecture.layout, rng, device))
                    }
                    CategoricalNetwork::Transformer => {
                        Self::Transformer(Transformer::new(sizes, rng, device))
                    }
                }
            }
        }
    }

    /// Statistics of the next latent, from latents `[B, h, w, c]` and one-hot actions `[B, A]`.
    #[must_use]
    pub fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        match self {
            Self::Lipschitz(network) => network.predict(latents, actions),
            Self::Depthwise(network) => network.predict(latents, actions),
            Self::Plain(network) => network.predict(latents, actions),
            Self::Perceptron(network) => network.predict(latents, actions),
            Self::Categories(network) => network.predict(latents, actions),
            Self::Experts(network) => categories::statistics(network.forward(latents, actions)),
            Self::Transformer(network) => network.predict(latents, actions),
        }
    }

    /// The derivative by the latents `[B, h, w, c]` of a number for each sample, from its derivatives
    /// by the statistics; in it gradients flow to the parameters. None if the network has none: only
    /// those of [`Architecture::Plain`] do.
    #[must_use]
    pub fn slope(
        &self,
        latents: Tensor<4>,
        actions: Tensor<2>,
        by_statistics: &dyn Fn(Statistics) -> Statistics,
    ) -> Option<Tensor<4>> {
        match self {
            Self::Depthwise(network) => Some(network.slope(latents, actions, by_statistics)),
            Self::Plain(network) => Some(network.slope(latents, actions, by_statistics)),
            _ => None,
        }
    }

    /// The order of the dimensions of a latent in the predicted statistics.
    #[must_use]
    pub const fn alignment(&self, latent: Latent) -> Alignment {
        match self {
            Self::Lipschitz(network) => network.alignment(),
            Self::Depthwise(network) => network.alignment(),
            Self::Plain(network) => network.alignment(),
            Self::Perceptron(_) | Self::Categories(_) | Self::Experts(_) | Self::Transformer(_) => {
                Alignment::new(latent, 1)
            }
        }
    }
}

/// Sizes of a network.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    latent: Latent,
    actions: usize,
    /// K
    components: usize,
    /// S
    statistics: usize,
}

impl Sizes {
    /// Channels of the last layer: S K c for every action.
    const fn outputs(&self) -> usize {
        let [_, _, channels] = self.latent.shape();
        channels * self.components * self.statistics * self.actions
    }

    /// The layer that computes mixture logits from `features` channels; none for a single
    /// component.
    fn mixture_logits(
        &self,
        features: usize,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Option<Dense> {
        let [height, width, _] = self.latent.shape();
        let shape = [height * width * features, self.components * self.actions];
        (self.components > 1).then(|| Dense::lecun_normal(rng, shape, device))
    }

    /// Mixture weights `[B, K]` from flat features and one-hot actions `[B, A]`: the softmax over
    /// components of the chosen action's logits; 1 for a single component.
    fn mixture_weights(
        &self,
        logits: Option<&Dense>,
        features: Tensor<2>,
        actions: Tensor<2>,
        spectral: Option<&Spectral>,
    ) -> Tensor<2> {
        let [batch, choices] = actions.dims();
        let Some(layer) = logits else {
            return Tensor::ones([batch, 1], &actions.device());
        };
        let logits =
            layer.forward_spectral(features, spectral).reshape([batch, self.components, choices]);
        chosen(logits, actions, true)
    }
}

/// Offsets of the taps of a 2x2 kernel, row-major.
const fn shifts() -> [[usize; 2]; TAPS] {
    [[0, 0], [0, 1], [1, 0], [1, 1]]
}

/// The statistics `[B, M, S, K, D]` in the outputs `[B, h, w, c K S]` of a plain convolution for one
/// action. The authors read the same numbers, channels within positions, as components outside of
/// positions.
fn read(sizes: &Sizes, layout: MixtureLayout, outputs: Tensor<4>) -> Tensor<5> {
    let batch = outputs.dims()[0];
    let [height, width, channels] = sizes.latent.shape();
    let positions = height * width;
    let Sizes { components, statistics, .. } = *sizes;
    match layout {
        MixtureLayout::Corrected => outputs
            .reshape([batch, positions, channels, components, statistics])
            .permute([0, 1, 4, 3, 2]),
        MixtureLayout::Parity => outputs
            .reshape([batch, components, positions, channels, statistics])
            .permute([0, 2, 4, 1, 3]),
    }
}

/// The outputs `[B, M, D K S]` that [`read`] reads as these statistics.
fn unread(layout: MixtureLayout, statistics: Tensor<5>) -> Tensor<3> {
    let [batch, rows, _, _, _] = statistics.dims();
    let ordered = match layout {
        MixtureLayout::Corrected => statistics.permute([0, 1, 4, 3, 2]),
        MixtureLayout::Parity => statistics.permute([0, 3, 1, 4, 2]),
    };
    ordered.reshape([batch as isize, rows as isize, -1])
}
