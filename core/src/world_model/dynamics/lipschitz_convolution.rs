//! Two convolutions with normalised kernels, the second in groups (docs/deepspi.md, section 3.4).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use super::{SAME_2X2, Sizes, TAPS, shifts};
use crate::nn::{Conv, Dense, Spectral, group_sort};
use crate::world_model::density::Statistics;
use crate::world_model::latent::Alignment;

/// A spectral 2x2 convolution to twice the channels, GroupSort, and a grouped spectral 2x2
/// convolution with one block of outputs per action. Mixture weights come from the features between
/// the two.
#[derive(Module, Debug)]
pub struct LipschitzConvolution {
    /// Shared features.
    pub first: Conv,
    /// Grouped outputs for every action.
    pub second: Conv,
    /// Mixture logits from the flattened features; only for a mixture.
    pub logits: Option<Dense>,
    #[module(skip)]
    spectral: Spectral,
    #[module(skip)]
    groups: usize,
    #[module(skip)]
    sizes: Sizes,
}

impl LipschitzConvolution {
    pub(super) fn new(
        sizes: Sizes,
        groups: usize,
        spectral: Spectral,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let [_, _, channels] = sizes.latent.shape();
        let (features, outputs) = (2 * channels, sizes.outputs());
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
        let (groups, positions) = (self.groups, height * width);
        let Sizes { components, statistics, actions: choices, .. } = self.sizes;

        let kernel = self.spectral.conv(self.first.kernel.val(), 1);
        let features = self.first.forward_with(latents, kernel, SAME_2X2);
        let features = group_sort(features.flatten::<2>(0, 2));
        let features = features.reshape([batch, height, width, 2 * channels]);

        // One product [positions, taps] x [taps, outputs] per sample and group.
        let per_group = channels / groups;
        let outputs = statistics * components * per_group;
        let taps = TAPS * 2 * channels / groups;
        let kernel = self.spectral.conv(self.second.kernel.val(), groups);
        let kernel = kernel
            .reshape([taps, groups, per_group, components, statistics, choices])
            .permute([5, 1, 0, 4, 3, 2])
            .reshape([choices, groups * taps * outputs]);
        let kernel = actions.clone().matmul(kernel).reshape([batch, groups, taps, outputs]);
        let bias = self
            .second
            .bias
            .val()
            .reshape([groups, per_group, components, statistics, choices])
            .permute([4, 0, 3, 2, 1])
            .reshape([choices, groups * outputs]);
        let bias = actions.clone().matmul(bias).reshape([batch, groups, 1, outputs]);
        let values = self.group_patches(features.clone()).matmul(kernel) + bias;
        let values = values.reshape([batch, groups * positions, statistics, components, per_group]);

        let weights = self.sizes.mixture_weights(
            self.logits.as_ref(),
            features.flatten(1, 3),
            actions,
            Some(&self.spectral),
        );
        Statistics { values, weights }
    }

    /// Patches of features `[B, h, w, 2c]` for a grouped 2x2 SAME convolution, `[B, G, P, taps]`.
    fn group_patches(&self, features: Tensor<4>) -> Tensor<4> {
        let [batch, height, width, channels] = features.dims();
        let groups = self.groups;
        let padded = features.pad([(0, 0), (0, 1), (0, 1), (0, 0)], 0.0);
        let taps = shifts()
            .map(|[dy, dx]| padded.clone().slice([0..batch, dy..dy + height, dx..dx + width]))
            .map(|tap| tap.reshape([batch, height * width, 1, channels]));
        Tensor::cat(taps.to_vec(), 2)
            .reshape([batch, height * width, TAPS, groups, channels / groups])
            .permute([0, 3, 1, 2, 4])
            .reshape([batch, groups, height * width, TAPS * channels / groups])
    }
}
