//! Latent transition networks `Pbar(. | z, a)` (docs/deepspi.md, sections 3.4 and 3.6), one file
//! per architecture.
//!
//! A network predicts [`Statistics`] in its own aligned layout and must not know which density
//! reads them. The last layer has outputs for every action, of which a sample uses one. Its kernel
//! is therefore selected per sample *before* the product (a product with the one-hot action): with
//! A actions this needs 1/A of the arithmetic and memory, and gives the same values.

mod depthwise_convolution;
mod lipschitz_convolution;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

pub use self::depthwise_convolution::DepthwiseConvolution;
pub use self::lipschitz_convolution::LipschitzConvolution;
use super::architecture::Architecture;
use super::density::{Density, Statistics};
use super::latent::{Alignment, Latent};
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
}

impl Dynamics {
    /// Initial parameters of the architecture's network; `density` determines its outputs.
    pub fn new(
        spec: &NetworkSpec,
        architecture: &Architecture,
        density: &dyn Density,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let sizes = Sizes {
            latent: Latent::of(spec),
            actions: spec.actions,
            components: density.components(),
            statistics: density.statistics(),
        };
        match architecture {
            Architecture::Lipschitz(spectral) => {
                let groups = spec.transition_groups;
                let spectral = spectral.clone();
                Self::Lipschitz(LipschitzConvolution::new(sizes, groups, spectral, rng, device))
            }
            Architecture::Free(layout) => {
                Self::Depthwise(DepthwiseConvolution::new(sizes, *layout, rng, device))
            }
        }
    }

    /// Statistics of the next latent, from latents `[B, h, w, c]` and one-hot actions `[B, A]`.
    #[must_use]
    pub fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        match self {
            Self::Lipschitz(network) => network.predict(latents, actions),
            Self::Depthwise(network) => network.predict(latents, actions),
        }
    }

    /// The order of the latent dimensions in the predicted statistics.
    #[must_use]
    pub const fn alignment(&self) -> Alignment {
        match self {
            Self::Lipschitz(network) => network.alignment(),
            Self::Depthwise(network) => network.alignment(),
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
