//! Two plain convolutions, the second depthwise (docs/deepspi.md, section 3.6, with feature
//! groups).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::MixtureLayout;
use rand::Rng;

use super::{SAME_2X2, Sizes, TAPS, shifts};
use crate::nn::{Conv, Dense};
use crate::world_model::density::Statistics;
use crate::world_model::latent::Alignment;

/// A 2x2 convolution with one channel per statistic, component, latent channel and action, then
/// ReLU and a depthwise 2x2 convolution. Mixture weights come from the features between the two.
#[derive(Module, Debug)]
pub struct DepthwiseConvolution {
    /// Features for every action.
    pub first: Conv,
    /// Depthwise outputs for every action.
    pub second: Conv,
    /// Mixture logits from the flattened features; only for a mixture.
    pub logits: Option<Dense>,
    #[module(skip)]
    layout: MixtureLayout,
    #[module(skip)]
    sizes: Sizes,
}

impl DepthwiseConvolution {
    pub(super) fn new(
        sizes: Sizes,
        layout: MixtureLayout,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let [_, _, channels] = sizes.latent.shape();
        let outputs = sizes.outputs();
        Self {
            first: Conv::lecun_normal(rng, [2, 2, channels, outputs], device),
            second: Conv::lecun_normal(rng, [2, 2, 1, outputs], device),
            logits: sizes.mixture_logits(outputs, rng, device),
            layout,
            sizes,
        }
    }

    pub(super) const fn alignment(&self) -> Alignment {
        Alignment::new(self.sizes.latent, 1)
    }

    pub(super) fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        let batch = latents.dims()[0];
        let [height, width, channels] = self.sizes.latent.shape();
        let positions = height * width;
        let Sizes { components, statistics, actions: choices, .. } = self.sizes;
        let outputs = channels * components * statistics;

        let features = self.first.forward_relu(latents, SAME_2X2);
        let weights = self.sizes.mixture_weights(
            self.logits.as_ref(),
            features.clone().flatten(1, 3),
            actions.clone(),
            None,
        );

        // The second layer is depthwise: the outputs of an action depend only on that action's
        // features.
        let mask = actions.clone().reshape([batch, 1, 1, choices]);
        let selected = features.reshape([batch, positions, outputs, choices]) * mask;
        let selected = selected.sum_dim(3).reshape([batch, height, width, outputs]);
        let kernel = self.second.kernel.val().reshape([TAPS * outputs, choices]).swap_dims(0, 1);
        let kernel = actions.clone().matmul(kernel).reshape([batch, TAPS, 1, outputs]);
        let bias = self.second.bias.val().reshape([outputs, choices]).swap_dims(0, 1);
        let bias = actions.matmul(bias).reshape([batch, 1, 1, outputs]);
        let padded = selected.pad([(0, 0), (0, 1), (0, 1), (0, 0)], 0.0);
        let values = shifts().into_iter().enumerate().fold(bias, |sum, (tap, [dy, dx])| {
            let shifted = padded.clone().slice([0..batch, dy..dy + height, dx..dx + width]);
            sum + shifted * kernel.clone().narrow(1, tap, 1)
        });

        let values = match self.layout {
            MixtureLayout::Corrected => values
                .reshape([batch, positions, channels, components, statistics])
                .permute([0, 1, 4, 3, 2]),
            MixtureLayout::Parity => values
                .reshape([batch, components, positions, channels, statistics])
                .permute([0, 2, 4, 1, 3]),
        };
        Statistics { values, weights }
    }
}
