//! Two plain convolutions, the second depthwise (docs/deepspi.md, section 3.6, with feature
//! groups).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Activation, MixtureLayout};
use rand::Rng;

use super::pull_back::{through_convolution, through_depthwise, through_softmax};
use super::{SAME_2X2, Sizes, TAPS, read, shifts, unread};
use crate::nn::{Conv, Dense, activate, slope};
use crate::world_model::density::Statistics;
use crate::world_model::latent::Alignment;

/// A 2x2 convolution with one channel per statistic, component, latent channel and action, then
/// an activation and a depthwise 2x2 convolution. Mixture weights come from the features between the two.
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
    activation: Activation,
    #[module(skip)]
    sizes: Sizes,
}

impl DepthwiseConvolution {
    pub(super) fn new(
        sizes: Sizes,
        layout: MixtureLayout,
        activation: Activation,
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
            activation,
            sizes,
        }
    }

    pub(super) const fn alignment(&self) -> Alignment {
        Alignment::new(self.sizes.latent, 1)
    }

    pub(super) fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        let features = self.first.forward_activated(latents, SAME_2X2, self.activation);
        self.statistics(features, actions)
    }

    /// The derivative by the latents `[B, h, w, c]` of a number for each sample, from its derivatives
    /// by the statistics.
    pub(super) fn slope(
        &self,
        latents: Tensor<4>,
        actions: Tensor<2>,
        by_statistics: &dyn Fn(Statistics) -> Statistics,
    ) -> Tensor<4> {
        let [batch, choices] = actions.dims();
        let [height, width, _] = self.sizes.latent.shape();
        let raw = self.first.forward(latents, SAME_2X2);
        let statistics = self.statistics(activate(self.activation, raw.clone()), actions.clone());
        let weights = statistics.weights.clone();
        let Statistics { values, weights: by_weights } = by_statistics(statistics);

        let by_selected =
            through_depthwise(self.unread(values), &self.chosen_kernel(actions.clone()));
        let mask = actions.clone().reshape([batch, 1, 1, 1, choices]);
        let mut by_features = (by_selected.unsqueeze_dim::<5>(4) * mask).reshape(raw.dims());
        if let Some(layer) = &self.logits {
            let by_logits = through_softmax(by_weights, weights).unsqueeze_dim::<3>(2);
            let by_logits = (by_logits * actions.unsqueeze_dim::<3>(1)).flatten::<2>(1, 2);
            let through = by_logits.matmul(layer.kernel.val().transpose());
            by_features = by_features
                + through.reshape([batch as isize, height as isize, width as isize, -1]);
        }
        let by_raw = by_features * slope(self.activation, raw);
        through_convolution(by_raw, self.first.kernel.val())
    }

    /// The kernel of the second layer for the chosen actions, `[B, 4, 1, outputs]`.
    fn chosen_kernel(&self, actions: Tensor<2>) -> Tensor<4> {
        let [batch, choices] = actions.dims();
        let outputs = self.sizes.outputs() / choices;
        let kernel = self.second.kernel.val().reshape([TAPS * outputs, choices]).swap_dims(0, 1);
        actions.matmul(kernel).reshape([batch, TAPS, 1, outputs])
    }

    fn statistics(&self, features: Tensor<4>, actions: Tensor<2>) -> Statistics {
        let batch = features.dims()[0];
        let [height, width, _] = self.sizes.latent.shape();
        let positions = height * width;
        let choices = self.sizes.actions;
        let outputs = self.sizes.outputs() / choices;

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
        let kernel = self.chosen_kernel(actions.clone());
        let bias = self.second.bias.val().reshape([outputs, choices]).swap_dims(0, 1);
        let bias = actions.matmul(bias).reshape([batch, 1, 1, outputs]);
        let padded = selected.pad([(0, 0), (0, 1), (0, 1), (0, 0)], 0.0);
        let values = shifts().into_iter().enumerate().fold(bias, |sum, (tap, [dy, dx])| {
            let shifted = padded.clone().slice([0..batch, dy..dy + height, dx..dx + width]);
            sum + shifted * kernel.clone().narrow(1, tap, 1)
        });
        Statistics { values: read(&self.sizes, self.layout, values), weights }
    }

    /// Outputs `[B, h, w, outputs]` that are read as these statistics.
    fn unread(&self, values: Tensor<5>) -> Tensor<4> {
        let batch = values.dims()[0];
        let [height, width, _] = self.sizes.latent.shape();
        unread(self.layout, values).reshape([batch as isize, height as isize, width as isize, -1])
    }
}
