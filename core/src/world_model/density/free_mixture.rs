//! The densities of the free networks: a mixture of normals without a Lipschitz bound.
//!
//! The loss needs no sample: the expected distance `E |X - z'|` of a normal is the mean of a folded
//! normal, which has a closed form. A sample must come from the distribution over which the loss is
//! the expectation: first a component by its weight, then each dimension independently. Through a
//! sample, only the location and scale of its component get a gradient; the weights get none.

use burn::tensor::activation::{sigmoid, softplus};
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Activation, LatentDistance};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Density, Statistics, TransitionNoise, TransitionTarget, distance, repeated};
use crate::loss::smooth_l1;
use crate::nn::{activate, slope};
use crate::ops::mixture::MIN_SCALE;
use crate::traffic::upload;

/// Normals whose locations have the activation of the encoder, mixed by weights.
#[derive(Clone, Copy, Debug)]
pub struct FreeMixture {
    components: usize,
    activation: Activation,
}

impl FreeMixture {
    /// A mixture of K `components`.
    #[must_use]
    pub const fn new(components: usize, activation: Activation) -> Self {
        Self { components, activation }
    }
}

impl Density for FreeMixture {
    fn components(&self) -> usize {
        self.components
    }

    /// The inputs of the location's activation and of the scale's softplus.
    fn statistics(&self) -> usize {
        2
    }

    fn noise(
        &self,
        [batch, rows, latents]: [usize; 3],
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Option<TransitionNoise> {
        let choice: Vec<f32> = (0..batch).map(|_| rng.random()).collect();
        let values: Vec<f32> =
            (0..batch * rows * latents).map(|_| StandardNormal.sample(rng)).collect();
        let shape = [batch, rows, 1, latents];
        Some(TransitionNoise::Selected {
            values: upload(values, shape, device),
            choice: upload(choice, [batch, 1], device),
        })
    }

    fn sample(&self, statistics: Statistics, noise: Option<TransitionNoise>) -> Tensor<3> {
        let noise =
            noise.expect("a mixture is sampled: draw noise with `WorldModel::sample_noise`");
        NormalMixture::of(statistics, self.activation).sample(noise)
    }

    fn loss_is_sampled(&self) -> bool {
        false
    }

    fn loss_is_expected(&self) -> bool {
        true
    }

    fn average(&self, statistics: Statistics, noise: Tensor<4>) -> Option<Tensor<3>> {
        let NormalMixture { location, scale, weights } =
            NormalMixture::of(statistics, self.activation);
        let [batch, components] = weights.dims();
        let weights = weights.reshape([batch, 1, components, 1]);
        Some(((location + scale * noise) * weights).sum_dim(2).squeeze_dim(2))
    }

    fn average_slope(&self, statistics: Statistics, noise: Tensor<4>) -> Option<Statistics> {
        let raw = |i| statistics.values.clone().narrow(2, i, 1);
        let slopes =
            [slope(self.activation, raw(0)), sigmoid(raw(1)) * noise.clone().unsqueeze_dim(2)];
        let NormalMixture { location, scale, weights } =
            NormalMixture::of(statistics.clone(), self.activation);
        let [batch, components] = weights.dims();
        let factor = weights.reshape([batch, 1, 1, components, 1]);
        let values = Tensor::cat(slopes.to_vec(), 2) * factor;
        let by_weights = (location + scale * noise).sum_dim(3).sum_dim(1);
        Some(Statistics { values, weights: by_weights.reshape([batch, components]) })
    }

    fn loss(&self, statistics: Statistics, target: TransitionTarget) -> Tensor<1> {
        let NormalMixture { location, scale, weights } =
            NormalMixture::of(statistics, self.activation);
        let (location, scale) = (repeated(target.rows, location), repeated(target.rows, scale));
        let weights = repeated(target.rows, weights);
        NormalMixture { location, scale, weights }.loss(target.latents, target.distance)
    }
}

/// A mixture of normal distributions for each of B states.
#[derive(Clone, Debug)]
pub struct NormalMixture {
    /// Locations `[B, M, K, D]`.
    pub location: Tensor<4>,
    /// Scales `[B, M, K, D]`, positive.
    pub scale: Tensor<4>,
    /// Mixture weights `[B, K]`.
    pub weights: Tensor<2>,
}

impl NormalMixture {
    /// The distributions that a network's statistics encode.
    #[must_use]
    pub fn of(Statistics { values, weights }: Statistics, activation: Activation) -> Self {
        let location = activate(activation, values.clone().narrow(2, 0, 1).squeeze_dim::<4>(2));
        let scale = softplus(values.narrow(2, 1, 1).squeeze_dim::<4>(2), 1.0) + MIN_SCALE;
        Self { location, scale, weights }
    }

    /// One sample `[B, M, D]`.
    ///
    /// # Panics
    /// If the noise selects no component.
    #[must_use]
    pub fn sample(self, noise: TransitionNoise) -> Tensor<3> {
        let [batch, components] = self.weights.dims();
        let (noise, choice) =
            noise.selected().expect("the noise of a mixture of normals chooses a component");
        let chosen = chosen_component(self.weights, choice).reshape([batch, 1, components, 1]);
        // A sum in which one term is not 0.
        let pick = |values: Tensor<4>| (values * chosen.clone()).sum_dim(2);
        (pick(self.location) + pick(self.scale) * noise).squeeze_dim(2)
    }

    /// The expected distance `[B]` to latents `[B, M, D]`.
    ///
    /// With the smooth-L1 distance: `E |X - z'|` of each dimension in closed form, then smooth-L1
    /// of that, summed over dimensions. With the Euclidean distance: the root of the expected
    /// square, which bounds the expected distance from above (Jensen), averaged over components.
    #[must_use]
    pub fn loss(self, latents: Tensor<3>, distance: LatentDistance) -> Tensor<1> {
        let Self { location, scale, weights } = self;
        let [batch, components] = weights.dims();
        if distance == LatentDistance::Euclidean {
            let error = location - latents.unsqueeze_dim(2);
            let square = error.clone() * error + scale.clone() * scale;
            let square = square.sum_dim(3).sum_dim(1).reshape([batch, components]);
            return (distance::root(square) * weights).sum_dim(1).squeeze_dim(1);
        }
        let expected = expected_distance(location, scale, latents.unsqueeze_dim(2));
        let expected: Tensor<3> =
            (expected * weights.reshape([batch, 1, components, 1])).sum_dim(2).squeeze_dim(2);
        smooth_l1(expected).flatten::<2>(1, 2).sum_dim(1).squeeze_dim(1)
    }
}

/// The component whose share of [0, 1) contains the number, as one-hot `[B, K]`; numbers `[B, 1]`.
fn chosen_component(weights: Tensor<2>, choice: Tensor<2>) -> Tensor<2> {
    let [batch, components] = weights.dims();
    if components == 1 {
        return weights.ones_like();
    }
    let device = weights.device();
    // Tests whether the number is below the upper end of each share. Rounding may leave the sum of
    // all weights a little below 1, so the last share has no upper end.
    let ends = weights.narrow(1, 0, components - 1).cumsum(1);
    let below = choice.expand([batch, components - 1]).lower(ends).float();
    let low = Tensor::cat(vec![Tensor::zeros([batch, 1], &device), below.clone()], 1);
    let high = Tensor::cat(vec![below, Tensor::ones([batch, 1], &device)], 1);
    high - low
}

/// `E |X - z|` for `X ~ N(location, scale^2)`: the mean of a folded normal distribution.
fn expected_distance(location: Tensor<4>, scale: Tensor<4>, target: Tensor<4>) -> Tensor<4> {
    let d = (target - location) / (scale.clone() + 1e-8);
    // 2 Phi(d) - 1 = erf(d / sqrt 2)
    let mass = (d.clone() * std::f32::consts::FRAC_1_SQRT_2).erf();
    let density = (d.clone() * d.clone() * -0.5).exp() * (2.0 / std::f32::consts::PI).sqrt();
    scale * (d * mass + density)
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

    fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().expect("f32")
    }

    /// Samples for each state; all states use the same noise.
    fn draws(mixture: &NormalMixture, count: usize) -> Vec<Vec<f32>> {
        let [batch, rows, components, latents] = mixture.location.dims();
        let mut rng = stream(1, Stream::Noise);
        let draw = |_| {
            let noise = FreeMixture::new(components, Activation::Relu).noise(
                [1, rows, latents],
                &mut rng,
                &mixture.location.device(),
            );
            read(mixture.clone().sample(noise.expect("sampled").repeat(batch)))
        };
        (0..count).map(draw).collect()
    }

    #[test]
    fn a_draw_is_one_of_the_components_and_never_in_between() {
        let device = Device::flex();
        // Two rows, two components at 1 and 9 with weights 1/4 and 3/4 and almost no variance.
        let location = Tensor::<4>::from_floats([[[[1.0], [9.0]]], [[[1.0], [9.0]]]], &device);
        let scale = Tensor::<4>::ones([2, 1, 2, 1], &device) * 1e-3;
        let weights = Tensor::<2>::from_floats([[0.25, 0.75], [0.25, 0.75]], &device);
        let all = draws(&NormalMixture { location, scale, weights }, 4000);
        let first: Vec<f32> = all.iter().map(|sample| sample[0]).collect();
        assert!(first.iter().all(|x| (x - 1.0).abs() < 0.1 || (x - 9.0).abs() < 0.1));
        let share = first.iter().filter(|x| **x > 5.0).count() as f64 / 4000.0;
        assert!((share - 0.75).abs() < 0.03, "{share}");
        assert!(all.iter().all(|sample| sample[0] == sample[1]), "equal rows are drawn alike");
    }

    #[test]
    fn the_component_is_that_of_the_share_in_which_the_number_lies() {
        let device = Device::flex();
        let chosen = |weights: Vec<f32>, number: f32| {
            let shape = [1, weights.len()];
            let weights = Tensor::from_data(TensorData::new(weights, shape), &device);
            let one_hot = read(chosen_component(weights, Tensor::from_floats([[number]], &device)));
            assert!((one_hot.iter().sum::<f32>() - 1.0).abs() < 1e-9, "{one_hot:?}");
            one_hot.iter().position(|x| *x == 1.0)
        };
        for (number, expected) in [(0.0, 0), (0.19, 0), (0.2, 1), (0.69, 1), (0.71, 2), (0.99, 2)] {
            assert_eq!(chosen(vec![0.2, 0.5, 0.3], number), Some(expected), "{number}");
        }
        // First weights that sum to less than 1 by rounding, then a single component.
        assert_eq!(chosen(vec![0.5, 0.499], 0.9995), Some(1));
        assert_eq!(chosen(vec![1.0], 0.5), Some(0));
    }

    #[test]
    fn the_loss_is_the_expected_distance_of_the_draws() {
        const POINTS: usize = 1601;
        let device = Device::flex();
        let weights = [0.4, 0.6];
        // Distances above 1, where smooth-L1 is the distance minus 1/2.
        let location = Tensor::<4>::from_floats([[[[2.0], [6.0]]]], &device);
        let scale = Tensor::<4>::from_floats([[[[1.0], [3.0]]]], &device);
        let mixture = NormalMixture {
            location,
            scale,
            weights: Tensor::<2>::from_floats([weights], &device),
        };
        let target = Tensor::<3>::from_floats([[[0.5]]], &device);
        let loss = mixture.clone().loss(target, LatentDistance::SmoothL1).into_scalar::<f32>();
        // The integral over the noise, for a number in the middle of each component's share.
        let noise: Vec<f32> = (0..POINTS).map(|i| i as f32 * 0.01 - 8.0).collect();
        let mut mean = 0.0;
        for (weight, choice) in weights.into_iter().zip([0.2_f32, 0.7]) {
            let all = NormalMixture {
                location: mixture.location.clone().repeat_dim(0, POINTS),
                scale: mixture.scale.clone().repeat_dim(0, POINTS),
                weights: mixture.weights.clone().repeat_dim(0, POINTS),
            };
            let values = TensorData::new(noise.clone(), [POINTS, 1, 1, 1]);
            let drawn = read(all.sample(TransitionNoise::Selected {
                values: Tensor::from_data(values, &device),
                choice: Tensor::full([POINTS, 1], choice, &device),
            }));
            for (x, z) in drawn.iter().zip(&noise) {
                let density = (-0.5 * z * z).exp() / (2.0 * std::f32::consts::PI).sqrt();
                mean += f64::from(weight * 0.01 * density * (x - 0.5).abs());
            }
        }
        assert!((f64::from(loss) + 0.5 - mean).abs() < 2e-3, "{loss} {mean}");
    }

    #[test]
    fn the_euclidean_distance_by_hand() {
        let device = Device::flex();
        // Two components with the same location; the second has scale 12 in one dimension: 5 and
        // 13.
        let location = Tensor::<3>::from_floats([[[3.0], [4.0]]], &device);
        let location = location.unsqueeze_dim::<4>(2).repeat_dim(2, 2);
        let scale = Tensor::from_floats([[[[0.0], [12.0]], [[0.0], [0.0]]]], &device);
        let weights = Tensor::from_floats([[0.25, 0.75]], &device);
        let mixture = NormalMixture { location, scale, weights };
        let next = Tensor::<3>::zeros([1, 2, 1], &device);
        let found = mixture.loss(next, LatentDistance::Euclidean).into_scalar::<f32>();
        assert!((found - (0.25 * 5.0 + 0.75 * 13.0)).abs() < 1e-5, "{found}");
    }
}
