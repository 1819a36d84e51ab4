//! Draws of the next latent from what a world model predicts, on the host.
//!
//! The same noise serves all rows of a draw. Rows that predict alike are then drawn alike, and
//! a difference between drawn distributions is one of the model and not of chance.

use burn::tensor::Tensor;
use deepspi_run::config::TransitionDensity;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::TransitionNoise;
use crate::nn::TransitionOutput;
use crate::ops::mixture::soft_mixture_sample;
use crate::read_floats;

/// `draws` draws of `B` predicted latents, each `[B, M * D]`; one draw of a point.
///
/// A bounded density is drawn as its loss draws it. A free one is drawn as the distribution of which
/// its loss is the expectation: a component by its weight, then each dimension by itself.
pub(crate) async fn next_latents(
    output: TransitionOutput,
    density: TransitionDensity,
    draws: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<Vec<f32>>, crate::Error> {
    match output {
        TransitionOutput::Point(location) => Ok(vec![read_floats(location).await?]),
        TransitionOutput::Bounded { raw, weights } => {
            let [batch, rows, _, components, latents] = raw.dims();
            let device = raw.device();
            let samples = (0..draws).map(|_| {
                let shape = [1, rows, components, latents];
                let noise = TransitionNoise::draw(density, shape, rng, &device).0;
                soft_mixture_sample(raw.clone(), weights.clone(), noise.repeat_dim(0, batch))
            });
            let all = read_floats(Tensor::cat(samples.collect(), 0)).await?;
            Ok(all.chunks(batch * rows * latents).map(<[f32]>::to_vec).collect())
        }
        TransitionOutput::Free { location, scale, weights } => {
            let [_, rows, components, latents] = location.dims();
            let location = read_floats(location).await?;
            let scale = read_floats(scale).await?;
            let weights = read_floats(weights).await?;
            let draw = |_| {
                let uniform = rng.random();
                let noise: Vec<f32> =
                    (0..rows * latents).map(|_| StandardNormal.sample(rng)).collect();
                let mut sample = Vec::with_capacity(location.len() / components);
                for (b, weights) in weights.chunks(components).enumerate() {
                    let k = chosen(weights, uniform);
                    for (i, noise) in noise.iter().enumerate() {
                        let row = b * rows + i / latents;
                        let index = (row * components + k) * latents + i % latents;
                        sample.push(location[index] + scale[index] * noise);
                    }
                }
                sample
            };
            Ok((0..draws).map(draw).collect())
        }
    }
}

/// The component in whose share of [0, 1) a number lies.
fn chosen(weights: &[f32], uniform: f32) -> usize {
    let mut below = 0.0;
    let found = weights.iter().position(|weight| {
        below += weight;
        uniform < below
    });
    // Rounding may leave the sum a little below 1.
    found.unwrap_or(weights.len() - 1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

    const DENSITY: TransitionDensity = TransitionDensity::MixtureNormal;

    fn draw(output: TransitionOutput, draws: usize) -> Vec<Vec<f32>> {
        let mut rng = stream(1, Stream::Noise);
        pollster::block_on(next_latents(output, DENSITY, draws, &mut rng)).expect("read")
    }

    #[test]
    fn a_free_mixture_is_drawn_by_component_and_never_in_between() {
        let device = Device::flex();
        // Two rows, two components at 1 and 9 with weights 1/4 and 3/4, nearly without spread.
        let location = Tensor::<4>::from_floats([[[[1.0], [9.0]]], [[[1.0], [9.0]]]], &device);
        let scale = Tensor::<4>::ones([2, 1, 2, 1], &device) * 1e-3;
        let weights = Tensor::<2>::from_floats([[0.25, 0.75], [0.25, 0.75]], &device);
        let all = draw(TransitionOutput::Free { location, scale, weights }, 4000);
        let first: Vec<f32> = all.iter().map(|sample| sample[0]).collect();
        assert!(first.iter().all(|x| (x - 1.0).abs() < 0.1 || (x - 9.0).abs() < 0.1));
        let share = first.iter().filter(|x| **x > 5.0).count() as f64 / 4000.0;
        assert!((share - 0.75).abs() < 0.03, "{share}");
        assert!(all.iter().all(|sample| sample[0] == sample[1]), "equal rows are drawn alike");
    }

    #[test]
    fn bounded_draws_stay_within_their_scale_and_a_point_needs_one() {
        let device = Device::flex();
        // Twice the location, and the input of the scale's softplus: softplus(0) = ln 2.
        let raw = Tensor::<5>::from_floats([[[[[6.0]], [[0.0]]]], [[[[6.0]], [[0.0]]]]], &device);
        let weights = Tensor::<2>::ones([2, 1], &device);
        let all = draw(TransitionOutput::Bounded { raw, weights }, 200);
        let half = std::f32::consts::LN_2 / 2.0 + 1e-5;
        assert!(all.iter().all(|sample| (sample[0] - 3.0).abs() <= half));
        assert!(all.iter().any(|sample| (sample[0] - 3.0).abs() > 0.1));
        assert!(all.iter().all(|sample| sample[0] == sample[1]), "equal rows are drawn alike");
        let point = Tensor::<3>::from_floats([[[1.5], [2.5]]], &device);
        assert_eq!(draw(TransitionOutput::Point(point), 16), [[1.5, 2.5]]);
    }
}
