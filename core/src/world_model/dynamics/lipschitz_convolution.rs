//! Two convolutions with normalised kernels, the second in groups if wanted (docs/deepspi.md, section 3.4).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use super::{SAME_2X2, Sizes};
use crate::nn::{Conv, Dense, Spectral, group_sort};
use crate::ops::chosen_convolution::{Layout, chosen_convolution};
use crate::world_model::density::Statistics;
use crate::world_model::latent::Alignment;

/// A spectral 2x2 convolution, GroupSort, and a second one with one block of outputs per action. With
/// feature groups the first has twice the channels, and the second is grouped. Mixture weights come from the features between
/// the two.
#[derive(Module, Debug)]
pub struct LipschitzConvolution {
    /// Shared features.
    pub first: Conv,
    /// Grouped outputs for every action.
    pub second: Conv,
    /// Mixture logits from the flattened features; only for a mixture.
    pub logits: Option<Dense>,
    /// Normalisation of all kernels.
    #[module(skip)]
    pub spectral: Spectral,
    /// Groups of the second convolution.
    #[module(skip)]
    pub groups: usize,
    #[module(skip)]
    sizes: Sizes,
}

impl LipschitzConvolution {
    pub(super) fn new(
        sizes: Sizes,
        groups: Option<usize>,
        spectral: Spectral,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let [_, _, channels] = sizes.latent.shape();
        let features = if groups.is_some() { 2 * channels } else { channels };
        let (groups, outputs) = (groups.unwrap_or(1), sizes.outputs());
        Self {
            first: Conv::lecun_normal(rng, [2, 2, channels, features], device),
            second: Conv::lecun_normal(rng, [2, 2, features / groups, outputs], device),
            logits: sizes.mixture_logits(features, rng, device),
            spectral,
            groups,
            sizes,
        }
    }

    pub(super) const fn alignment(&self) -> Alignment {
        Alignment::new(self.sizes.latent, self.groups)
    }

    pub(super) fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        let batch = latents.dims()[0];
        let [height, width, channels] = self.sizes.latent.shape();
        let groups = self.groups;
        let Sizes { components, statistics, .. } = self.sizes;

        let kernel = self.spectral.conv(self.first.kernel.val(), 1);
        let features = self.first.forward_with(latents, kernel, SAME_2X2);
        let features = group_sort(features.flatten::<2>(0, 2));
        let features = features.reshape([batch as isize, height as isize, width as isize, -1]);

        let kernel = self.spectral.conv(self.second.kernel.val(), groups);
        let layout = Layout { groups, per_group: channels / groups, components, statistics };
        let bias = self.second.bias.val();
        let values = chosen_convolution(features.clone(), kernel, bias, actions.clone(), layout);

        let weights = self.sizes.mixture_weights(
            self.logits.as_ref(),
            features.flatten(1, 3),
            actions,
            Some(&self.spectral),
        );
        Statistics { values, weights }
    }
}
