//! Transition loss l_P and reward loss l_R per sample (section 4 of the specification).

use burn::tensor::{Device, Tensor, TensorData};
use deepspi_run::config::{LatentDistance, TransitionDensity};
use deepspi_worlds::parallel::for_each_chunk;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use super::smooth_l1;
use crate::data::sharing::Repeat;
use crate::nn::init::truncated_normal;
use crate::nn::{Prediction, TransitionOutput};
use crate::ops::mixture::{location_and_scale, soft_mixture_sample};

/// Noise of the reparameterised transition sample, `[B, M, K, D]`, entries within [-1, 1].
#[derive(Clone, Debug)]
pub struct TransitionNoise(pub Tensor<4>);

impl TransitionNoise {
    /// Draws noise of the given aligned shape for a density that is sampled.
    ///
    /// The bound keeps `location + noise * scale` Lipschitz. As in the authors' code a mixture's noise
    /// is clipped to the bound, a single normal's is conditioned on it.
    #[must_use]
    pub fn draw(
        density: TransitionDensity,
        shape: [usize; 4],
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        /// Values per independent stream: the split must not depend on the number of threads.
        const CHUNK: usize = 1 << 16;
        let seed = rng.random();
        let mut values = vec![0.0_f32; shape.iter().product()];
        for_each_chunk(&mut values, CHUNK, |chunk, values| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(chunk as u64);
            for value in values {
                *value = match density {
                    TransitionDensity::Normal => truncated_normal(&mut rng, 1.0),
                    TransitionDensity::Deterministic | TransitionDensity::MixtureNormal => {
                        let sample: f32 = StandardNormal.sample(&mut rng);
                        sample.clamp(-1.0, 1.0)
                    }
                };
            }
        });
        Self(Tensor::from_data(TensorData::new(values, shape), device))
    }
}

/// How the loss reads a predicted distribution.
#[derive(Clone, Debug)]
pub struct Draw<'a> {
    /// From the distributions, one per distinct pair of state and action, to all samples; none if
    /// each sample has its own.
    pub rows: Option<&'a Repeat>,
    /// Noise of one sample, for a bounded density.
    pub noise: Option<TransitionNoise>,
    /// Distance between sample and next latent.
    pub distance: LatentDistance,
}

/// Transition loss l_P `[B]` of a predicted distribution against the aligned next latent `[B, M, D]`.
///
/// With the smooth-L1 distance. Point: averaged over latent dimensions. Bounded density: one sample
/// with the given noise, summed. Free density: the expected distance of each dimension in closed form,
/// smooth-L1, summed.
///
/// With the Euclidean distance: that of the point or the sample; for a free density the root of the
/// expected square, an upper bound of the expected distance (Jensen), in the mean over components.
///
/// # Panics
/// If a bounded density comes without noise.
#[must_use]
pub fn transition_loss(
    output: TransitionOutput,
    next_latents: Prediction,
    Draw { rows, noise, distance }: Draw,
) -> Tensor<1> {
    let error = match output {
        TransitionOutput::Point(location) => {
            let error = repeated(rows, location) - next_latents;
            return match distance {
                LatentDistance::SmoothL1 => {
                    smooth_l1(error).flatten::<2>(1, 2).mean_dim(1).squeeze_dim(1)
                }
                LatentDistance::Euclidean => euclidean(error),
            };
        }
        TransitionOutput::Bounded { raw, weights } => {
            let noise = noise.expect("a bounded density is sampled: `noise_shape` says so");
            let sample = match rows {
                None => soft_mixture_sample(raw, weights, noise.0),
                Some(rows) => shared_sample(raw, weights, noise.0, rows),
            };
            sample - next_latents
        }
        TransitionOutput::Free { location, scale, weights } => {
            let (location, scale) = (repeated(rows, location), repeated(rows, scale));
            let weights = repeated(rows, weights);
            let [batch, components] = weights.dims();
            if distance == LatentDistance::Euclidean {
                let error = location - next_latents.unsqueeze_dim(2);
                let square = error.clone() * error + scale.clone() * scale;
                let square = square.sum_dim(3).sum_dim(1).reshape([batch, components]);
                return (root(square) * weights).sum_dim(1).squeeze_dim(1);
            }
            let distance = expected_distance(location, scale, next_latents.unsqueeze_dim(2));
            (distance * weights.reshape([batch, 1, components, 1])).sum_dim(2).squeeze_dim(2)
        }
    };
    match distance {
        LatentDistance::SmoothL1 => smooth_l1(error).flatten::<2>(1, 2).sum_dim(1).squeeze_dim(1),
        LatentDistance::Euclidean => euclidean(error),
    }
}

/// [`soft_mixture_sample`] where samples share distributions: what does not depend on the noise is
/// computed once for each.
fn shared_sample(raw: Tensor<5>, weights: Tensor<2>, noise: Tensor<4>, rows: &Repeat) -> Tensor<3> {
    let [pairs, components] = weights.dims();
    let weights = weights.reshape([pairs, 1, components, 1]);
    let (location, scale) = location_and_scale(raw);
    let location = (location * weights.clone()).sum_dim(2).squeeze_dim(2);
    let spread = rows.apply(scale * weights) * noise;
    rows.apply(location) + spread.sum_dim(2).squeeze_dim::<3>(2)
}

/// Rows for all samples, if they are shared.
fn repeated<const D: usize>(rows: Option<&Repeat>, values: Tensor<D>) -> Tensor<D> {
    match rows {
        Some(rows) => rows.apply(values),
        None => values,
    }
}

/// Euclidean length `[B]` of errors `[B, M, D]`.
fn euclidean(error: Tensor<3>) -> Tensor<1> {
    let square = (error.clone() * error).flatten::<2>(1, 2).sum_dim(1);
    root(square).squeeze_dim(1)
}

/// Square root whose slope stays finite at 0.
fn root<const D: usize>(square: Tensor<D>) -> Tensor<D> {
    (square + 1e-12).sqrt()
}

/// `E |X - z|` for `X ~ N(location, scale^2)`: the mean of a folded normal distribution.
fn expected_distance(location: Tensor<4>, scale: Tensor<4>, target: Tensor<4>) -> Tensor<4> {
    let d = (target - location) / (scale.clone() + 1e-8);
    // 2 Phi(d) - 1 = erf(d / sqrt 2)
    let mass = (d.clone() * std::f32::consts::FRAC_1_SQRT_2).erf();
    let density = (d.clone() * d.clone() * -0.5).exp() * (2.0 / std::f32::consts::PI).sqrt();
    scale * (d * mass + density)
}

/// Reward loss l_R `[B]` of predicted against received (clipped) rewards `[B]`: smooth-L1, or with the
/// Euclidean distance the absolute difference.
#[must_use]
pub fn reward_loss(
    predicted: Tensor<1>,
    rewards: Tensor<1>,
    distance: LatentDistance,
) -> Tensor<1> {
    let error = predicted - rewards;
    match distance {
        LatentDistance::SmoothL1 => smooth_l1(error),
        LatentDistance::Euclidean => error.abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(output: TransitionOutput, next: Tensor<3>) -> f32 {
        let draw = Draw { rows: None, noise: None, distance: LatentDistance::Euclidean };
        let loss = transition_loss(output, next, draw).into_data();
        loss.try_to_vec::<f32>().expect("f32")[0]
    }

    #[test]
    fn euclidean_distances_by_hand() {
        let device = Device::flex();
        let next = || Tensor::<3>::zeros([1, 2, 1], &device);
        let location = Tensor::<3>::from_floats([[[3.0], [4.0]]], &device);
        let point = loss(TransitionOutput::Point(location.clone()), next());
        assert!((point - 5.0).abs() < 1e-6, "{point}");
        // Two components around the same place, the second with scale 12 in one dimension: 5 and 13.
        let location = location.unsqueeze_dim::<4>(2).repeat_dim(2, 2);
        let scale = Tensor::from_floats([[[[0.0], [12.0]], [[0.0], [0.0]]]], &device);
        let weights = Tensor::from_floats([[0.25, 0.75]], &device);
        let free = loss(TransitionOutput::Free { location, scale, weights }, next());
        assert!((free - (0.25 * 5.0 + 0.75 * 13.0)).abs() < 1e-5, "{free}");
    }
}
