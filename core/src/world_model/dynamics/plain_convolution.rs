//! One plain convolution: the unconstrained network without feature groups (docs/deepspi.md, section
//! 3.6).

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use deepspi_run::config::MixtureLayout;
use rand::Rng;

use super::pull_back::{through_convolution, through_softmax};
use super::{Sizes, read, unread};
use crate::nn::{Conv, init};
use crate::ops::chosen_convolution::{Layout, chosen_convolution};
use crate::world_model::density::Statistics;
use crate::world_model::latent::Alignment;

/// A 2x2 convolution with one channel per statistic, component, latent channel and action. A mixture
/// has a third statistic, from which its weights are computed.
#[derive(Module, Debug)]
pub struct PlainConvolution {
    /// Outputs for every action.
    pub first: Conv,
    /// From the third statistic of all latent dimensions to the logit of a component, `[h, w, c]`; only
    /// for a mixture.
    pub logits_map: Option<Param<Tensor<3>>>,
    #[module(skip)]
    layout: MixtureLayout,
    #[module(skip)]
    sizes: Sizes,
}

impl PlainConvolution {
    pub(super) fn new(
        sizes: Sizes,
        layout: MixtureLayout,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let shape = sizes.latent.shape();
        let [height, width, channels] = shape;
        let outputs = sizes.outputs() / sizes.statistics * statistics(&sizes);
        let first = Conv::lecun_normal(rng, [2, 2, channels, outputs], device);
        let logits_map = (sizes.components > 1).then(|| {
            // The authors' initialiser counts the pixels alone.
            let fan_in = height * width;
            let values = init::lecun_normal(rng, fan_in * channels, fan_in);
            Param::from_data(TensorData::new(values, shape), device)
        });
        Self { first, logits_map, layout, sizes }
    }

    pub(super) const fn alignment(&self) -> Alignment {
        Alignment::new(self.sizes.latent, 1)
    }

    pub(super) fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        let (batch, device) = (latents.dims()[0], latents.device());
        let [height, width, channels] = self.sizes.latent.shape();
        let (components, statistics) = (self.sizes.components, statistics(&self.sizes));
        let layout = Layout { groups: 1, per_group: channels, components, statistics };
        let (kernel, bias) = (self.first.kernel.val(), self.first.bias.val());
        let values = chosen_convolution(latents, kernel, bias, actions, layout);
        let values = match self.layout {
            MixtureLayout::Corrected => values,
            MixtureLayout::Parity => {
                let sizes = Sizes { statistics, ..self.sizes };
                let outputs = values.permute([0, 1, 4, 3, 2]).flatten::<3>(2, 4);
                let outputs =
                    outputs.reshape([batch as isize, height as isize, width as isize, -1]);
                read(&sizes, self.layout, outputs)
            }
        };
        let Some(map) = self.flat_map() else {
            return Statistics { values, weights: Tensor::ones([batch, 1], &device) };
        };
        let terms = values.clone().narrow(2, 2, 1).squeeze_dim::<4>(2) * map;
        let logits = terms.sum_dim(3).sum_dim(1).reshape([batch, components]);
        Statistics { values: values.narrow(2, 0, 2), weights: softmax(logits, 1) }
    }

    /// The map from the third statistic to logits, `[1, M, 1, D]`.
    fn flat_map(&self) -> Option<Tensor<4>> {
        let map = self.logits_map.as_ref()?.val();
        let [height, width, channels] = map.dims();
        Some(map.reshape([1, height * width, 1, channels]))
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
        let statistics = self.predict(latents, actions.clone());
        let weights = statistics.weights.clone();
        let components = weights.dims()[1];
        let Statistics { mut values, weights: by_weights } = by_statistics(statistics);
        if let Some(map) = self.flat_map() {
            let by_logits = through_softmax(by_weights, weights);
            let by_third = by_logits.reshape([batch, 1, components, 1]) * map;
            values = Tensor::cat(vec![values, by_third.unsqueeze_dim(2)], 2);
        }
        let [height, width, _] = self.sizes.latent.shape();
        let by_chosen = unread(self.layout, values).reshape([
            batch as isize,
            height as isize,
            width as isize,
            -1,
            1,
        ]);
        let mask = actions.reshape([batch, 1, 1, 1, choices]);
        let by_all = (by_chosen * mask).flatten::<4>(3, 4);
        through_convolution(by_all, self.first.kernel.val())
    }
}

/// Statistics that the layer computes: a mixture needs one more.
const fn statistics(sizes: &Sizes) -> usize {
    if sizes.components > 1 { sizes.statistics + 1 } else { sizes.statistics }
}
