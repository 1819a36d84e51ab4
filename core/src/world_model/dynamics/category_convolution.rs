//! The convolutional transition network of categorical latents (docs/deepspi.md, section 3.6).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use deepspi_run::config::Activation;
use rand::Rng;

use super::{SAME_2X2, TAPS};
use crate::nn::Conv;
use crate::ops::choice::chosen;
use crate::ops::conv::conv2d;
use crate::world_model::categories::{CategorySizes, statistics};
use crate::world_model::density::Statistics;

/// Channels of the hidden layer.
const CHANNELS: usize = 8;
/// Outputs per action before they are contracted to one.
const OUTPUTS: usize = 64;

/// Two 2x2 convolutions over the table of categories and classes; the outputs of each action are
/// contracted to one logit with the same weights.
#[derive(Module, Debug)]
pub struct CategoryConvolution {
    /// From one channel to 8.
    pub first: Conv,
    /// To 64 outputs for every action.
    pub second: Conv,
    /// Weights of the contraction, `[64]`, 0 at the start: the first prediction is uniform.
    pub weights: Param<Tensor<1>>,
    /// Added to every logit, `[1]`; the softmax does not see it.
    pub bias: Param<Tensor<1>>,
    #[module(skip)]
    activation: Activation,
}

impl CategoryConvolution {
    pub(super) fn new(
        sizes: &CategorySizes,
        activation: Activation,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        Self {
            first: Conv::lecun_normal(rng, [2, 2, 1, CHANNELS], device),
            second: Conv::lecun_normal(rng, [2, 2, CHANNELS, OUTPUTS * sizes.actions], device),
            weights: Param::from_tensor(Tensor::zeros([OUTPUTS], device)),
            bias: Param::from_tensor(Tensor::zeros([1], device)),
            activation,
        }
    }

    /// Both the second convolution and the contraction are linear: the contraction is applied to the
    /// kernel, which gives the same logits with one output for each action.
    pub(super) fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        let [batch, _, categories, classes] = latents.dims();
        let choices = actions.dims()[1];
        let image = latents.reshape([batch, categories, classes, 1]);
        let features = self.first.forward_activated(image, SAME_2X2, self.activation);
        let weights = self.weights.val().reshape([1, OUTPUTS, 1]);
        let contracted = |values: Tensor<3>| (values * weights.clone()).sum_dim(1);
        let kernel = self.second.kernel.val().reshape([TAPS * CHANNELS, OUTPUTS, choices]);
        let kernel = contracted(kernel).reshape([2, 2, CHANNELS, choices]);
        let bias = contracted(self.second.bias.val().reshape([1, OUTPUTS, choices]));
        let bias = bias.reshape([choices]) + self.bias.val();
        let all = conv2d(features, kernel, bias, SAME_2X2);
        let logits = chosen(all.reshape([batch, categories * classes, choices]), actions, false);
        statistics(logits.reshape([batch, categories, classes]))
    }
}
