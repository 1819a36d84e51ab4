//! A point prediction: the network predicts the next latent itself, without variance.

use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Activation, LatentDistance};
use rand_chacha::ChaCha8Rng;

use super::{Density, Statistics, TransitionNoise, TransitionTarget, distance, repeated};
use crate::loss::smooth_l1;
use crate::nn::{activate, slope};

/// A point prediction. l_P is its distance to the next latent: the Euclidean distance, or smooth-L1
/// *averaged* over latent dimensions, where the other densities take the sum (as the authors do).
#[derive(Clone, Copy, Debug)]
pub struct Deterministic {
    activation: Option<Activation>,
}

impl Deterministic {
    /// The statistic is the point.
    #[must_use]
    pub const fn any_sign() -> Self {
        Self { activation: None }
    }

    /// The point is the activation of the statistic: that of the encoder, whose latents it predicts.
    #[must_use]
    pub const fn activated(activation: Activation) -> Self {
        Self { activation: Some(activation) }
    }
}

impl Density for Deterministic {
    fn components(&self) -> usize {
        1
    }

    fn statistics(&self) -> usize {
        1
    }

    fn noise(&self, _: [usize; 3], _: &mut ChaCha8Rng, _: &Device) -> Option<TransitionNoise> {
        None
    }

    fn sample(&self, statistics: Statistics, _: Option<TransitionNoise>) -> Tensor<3> {
        let point = statistics.values.squeeze_dims(&[2, 3]);
        match self.activation {
            Some(activation) => activate(activation, point),
            None => point,
        }
    }

    fn loss_is_sampled(&self) -> bool {
        false
    }

    fn average(&self, statistics: Statistics, _: Tensor<4>) -> Option<Tensor<3>> {
        Some(self.sample(statistics, None))
    }

    fn average_slope(
        &self,
        Statistics { values, weights }: Statistics,
        _: Tensor<4>,
    ) -> Option<Statistics> {
        let values = match self.activation {
            Some(activation) => slope(activation, values),
            None => values.ones_like(),
        };
        Some(Statistics { values, weights: weights.zeros_like() })
    }

    fn loss(&self, statistics: Statistics, target: TransitionTarget) -> Tensor<1> {
        let error = repeated(target.rows, self.sample(statistics, None)) - target.latents;
        match target.distance {
            LatentDistance::SmoothL1 => {
                smooth_l1(error).flatten::<2>(1, 2).mean_dim(1).squeeze_dim(1)
            }
            LatentDistance::Euclidean => distance::euclidean(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_euclidean_distance_by_hand() {
        let device = Device::flex();
        let values = Tensor::<5>::from_floats([[[[[3.0]]], [[[-4.0]]]]], &device);
        let statistics = Statistics { values, weights: Tensor::ones([1, 1], &device) };
        let target = TransitionTarget {
            latents: Tensor::zeros([1, 2, 1], &device),
            rows: None,
            noise: None,
            distance: LatentDistance::Euclidean,
        };
        for (density, expected) in
            [(Deterministic::any_sign(), 5.0), (Deterministic::activated(Activation::Relu), 3.0)]
        {
            let found = density.loss(statistics.clone(), target.clone()).into_scalar::<f32>();
            assert!((found - expected).abs() < 1e-6, "{density:?}: {found}");
        }
    }
}
