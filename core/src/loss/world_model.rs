//! Transition loss l_P and reward loss l_R per sample (section 4 of the specification).

use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use super::smooth_l1;
use crate::config::TransitionDensity;
use crate::nn::init::truncated_normal;
use crate::nn::{Prediction, TransitionOutput};
use crate::ops::mixture::soft_mixture_sample;
use crate::parallel::for_each_chunk;

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

/// Transition loss l_P `[B]` of a predicted distribution against the aligned next latent `[B, M, D]`.
///
/// Point: smooth-L1, averaged over latent dimensions. Bounded density: one sample with the given
/// noise, smooth-L1, summed. Free density: the expected distance of each dimension in closed form,
/// smooth-L1, summed.
///
/// # Panics
/// If a bounded density comes without noise.
#[must_use]
pub fn transition_loss(
    output: TransitionOutput,
    next_latents: Prediction,
    noise: Option<TransitionNoise>,
) -> Tensor<1> {
    let error = match output {
        TransitionOutput::Point(location) => {
            let error = smooth_l1(location - next_latents);
            return error.flatten::<2>(1, 2).mean_dim(1).squeeze_dim(1);
        }
        TransitionOutput::Bounded { raw, weights } => {
            let noise = noise.expect("a bounded density is sampled: `noise_shape` says so");
            soft_mixture_sample(raw, weights, noise.0) - next_latents
        }
        TransitionOutput::Free { location, scale, weights } => {
            let [batch, components] = weights.dims();
            let distance = expected_distance(location, scale, next_latents.unsqueeze_dim(2));
            (distance * weights.reshape([batch, 1, components, 1])).sum_dim(2).squeeze_dim(2)
        }
    };
    smooth_l1(error).flatten::<2>(1, 2).sum_dim(1).squeeze_dim(1)
}

/// `E |X - z|` for `X ~ N(location, scale^2)`: the mean of a folded normal distribution.
fn expected_distance(location: Tensor<4>, scale: Tensor<4>, target: Tensor<4>) -> Tensor<4> {
    let d = (target - location) / (scale.clone() + 1e-8);
    // 2 Phi(d) - 1 = erf(d / sqrt 2)
    let mass = (d.clone() * std::f32::consts::FRAC_1_SQRT_2).erf();
    let density = (d.clone() * d.clone() * -0.5).exp() * (2.0 / std::f32::consts::PI).sqrt();
    scale * (d * mass + density)
}

/// Reward loss l_R `[B]`: smooth-L1 of predicted against received (clipped) rewards `[B]`.
#[must_use]
pub fn reward_loss(predicted: Tensor<1>, rewards: Tensor<1>) -> Tensor<1> {
    smooth_l1(predicted - rewards)
}
