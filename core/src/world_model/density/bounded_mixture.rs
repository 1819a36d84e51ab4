//! The densities of the Lipschitz networks: a soft mixture of normals with noise within [-1, 1].
//!
//! The noise is bounded so that `location + noise * scale` has the same Lipschitz bound as the
//! network. As in the authors' code, a sample is the average of all components by their weights,
//! not a draw of one component (docs/deepspi.md, D5). The loss is that of one reparameterised
//! sample.

use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::{Density, Statistics, TransitionNoise, TransitionTarget, distance};
use crate::ops::mixture::{SampleNoise, location_and_scale, soft_mixture_sample};
use crate::ops::noise::{Bound, CounterNoise};
use crate::sharing::Repeat;

/// Normals with bounded noise, averaged by their weights. The authors bound it in one way for each of
/// their densities.
#[derive(Clone, Copy, Debug)]
pub struct BoundedMixture {
    components: usize,
    bound: Bound,
}

impl BoundedMixture {
    /// One normal per latent dimension, its noise truncated.
    #[must_use]
    pub const fn normal() -> Self {
        Self { components: 1, bound: Bound::Truncated }
    }

    /// A mixture with one set of weights per state, its noise clipped.
    #[must_use]
    pub const fn mixture(components: usize) -> Self {
        Self { components, bound: Bound::Clipped }
    }
}

impl Density for BoundedMixture {
    fn components(&self) -> usize {
        self.components
    }

    /// Twice the location, and the input of the scale's softplus: see [`soft_mixture_sample`].
    fn statistics(&self) -> usize {
        2
    }

    fn noise(&self, _: [usize; 3], rng: &mut ChaCha8Rng, _: &Device) -> Option<TransitionNoise> {
        let noise = CounterNoise::new(self.bound, rng);
        Some(TransitionNoise::Averaged(SampleNoise::Counter(noise)))
    }

    fn sample(&self, statistics: Statistics, noise: Option<TransitionNoise>) -> Tensor<3> {
        soft_mixture_sample(statistics.values, statistics.weights, given(noise))
    }

    fn loss_is_sampled(&self) -> bool {
        true
    }

    fn loss(&self, statistics: Statistics, target: TransitionTarget) -> Tensor<1> {
        let sample = match target.rows {
            None => self.sample(statistics, target.noise),
            Some(rows) => shared_sample(statistics, given(target.noise), rows),
        };
        distance::between(sample, target.latents, target.distance)
    }
}

fn given(noise: Option<TransitionNoise>) -> SampleNoise {
    noise
        .and_then(TransitionNoise::averaged)
        .expect("a bounded density is sampled: draw its noise with `WorldModel::sample_noise`")
}

/// [`soft_mixture_sample`] for samples that share distributions: everything that does not depend on
/// the noise is computed once per distribution. `[B, M, D]` from the statistics of the distinct
/// pairs and the noise of all samples.
fn shared_sample(statistics: Statistics, noise: SampleNoise, rows: &Repeat) -> Tensor<3> {
    let Statistics { values, weights } = statistics;
    let [pairs, components] = weights.dims();
    let weights = weights.reshape([pairs, 1, components, 1]);
    let (location, scale) = location_and_scale(values);
    let location = (location * weights.clone()).sum_dim(2).squeeze_dim(2);
    let scale = rows.apply(scale * weights);
    let noise = noise.values(scale.dims(), &scale.device());
    let spread = scale * noise;
    rows.apply(location) + spread.sum_dim(2).squeeze_dim::<3>(2)
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

    #[test]
    fn samples_stay_within_their_scale() {
        let device = Device::flex();
        // Twice the location, and the input of the scale's softplus: softplus(0) = ln 2.
        let values = Tensor::<5>::from_floats([[[[[6.0]], [[0.0]]]]], &device);
        let statistics = Statistics { values, weights: Tensor::ones([1, 1], &device) };
        let mut rng = stream(1, Stream::Noise);
        let half = std::f32::consts::LN_2 / 2.0 + 1e-5;
        for density in [BoundedMixture::normal(), BoundedMixture::mixture(1)] {
            let sample = |_| {
                let noise = density.noise([1, 1, 1], &mut rng, &device);
                density.sample(statistics.clone(), noise).into_scalar::<f32>()
            };
            let all: Vec<f32> = (0..200).map(sample).collect();
            assert!(all.iter().all(|sample| (sample - 3.0).abs() <= half), "{density:?}");
            assert!(all.iter().any(|sample| (sample - 3.0).abs() > 0.1), "{density:?}");
        }
    }
}
