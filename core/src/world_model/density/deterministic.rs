//! A point prediction: the network predicts the next latent itself, without variance.

use burn::tensor::{Device, Tensor, activation::relu};
use deepspi_run::config::LatentDistance;
use rand_chacha::ChaCha8Rng;

use super::{Density, Statistics, TransitionNoise, TransitionTarget, distance, repeated};
use crate::loss::smooth_l1;

/// A point prediction. l_P is its distance to the next latent: the Euclidean distance, or smooth-L1
/// *averaged* over latent dimensions, where the other densities take the sum (as the authors do).
#[derive(Clone, Copy, Debug)]
pub struct Deterministic {
    not_negative: bool,
}

impl Deterministic {
    /// The statistic is the point.
    #[must_use]
    pub const fn any_sign() -> Self {
        Self { not_negative: false }
    }

    /// The point is the ReLU of the statistic, because latents are never negative.
    #[must_use]
    pub const fn not_negative() -> Self {
        Self { not_negative: true }
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
        if self.not_negative { relu(point) } else { point }
    }

    fn loss_is_sampled(&self) -> bool {
        false
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
            [(Deterministic::any_sign(), 5.0), (Deterministic::not_negative(), 3.0)]
        {
            let found = density.loss(statistics.clone(), target.clone()).into_scalar::<f32>();
            assert!((found - expected).abs() < 1e-6, "{density:?}: {found}");
        }
    }
}
