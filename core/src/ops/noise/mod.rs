//! Normal or uniform noise within [-1, 1] from a key and the place of a number, the same on every device.
//!
//! Element e of sample b is made of word `e % 4` of the Philox counter `(e / 4, b, 0, 0)`. So nothing is
//! drawn, stored or uploaded: kernels compute the noise where they need it, forward and again backward.
//! The word gives a number u, uniform in (-1, 1); the normal quantile of u inside the bounds is a
//! polynomial, so no logarithm or cosine makes devices differ by more than rounding.

#[cfg(feature = "gpu")]
mod gpu;
mod philox;

use burn::backend::flex::FlexTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension, tensor::FloatTensor};
use burn::tensor::{Device, Tensor};
use deepspi_worlds::parallel::for_each_chunk;
use rand::{Rng, RngExt};

#[cfg(feature = "gpu")]
pub(super) use self::gpu::noise_at;
use super::constant_on;
use super::cpu::float_tensor;
use crate::traffic::upload;

/// The distribution of noise within [-1, 1].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Standard normal, conditioned on lying within the bounds.
    Truncated,
    /// Standard normal; values outside are moved to the bound.
    Clipped,
    /// Uniform; never a bound itself.
    Uniform,
}

/// Noise that is computed where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CounterNoise {
    /// Key of the generator: another one gives independent noise.
    pub key: [u32; 2],
    /// The distribution of the noise.
    pub bound: Bound,
    /// Whether all samples of a batch have the noise of the first.
    pub common: bool,
}

impl CounterNoise {
    /// New noise, whose key comes from a generator.
    #[must_use]
    pub fn new(bound: Bound, rng: &mut impl Rng) -> Self {
        Self { key: [rng.random(), rng.random()], bound, common: false }
    }

    /// The noise as numbers, for shape `[B, M, K, D]`.
    #[must_use]
    pub fn values(self, shape: [usize; 4], device: &Device) -> Tensor<4> {
        // The dispatch finds the backend by a tensor.
        let anchor = upload(vec![0.0], [1], &device.clone().inner());
        let values = <Dispatch as NoiseOp>::noise_values(anchor.into_dispatch(), shape, self);
        constant_on(Tensor::from_dispatch(values), device)
    }

    /// Fills `values` with the noise of sample `sample`, in row-major order.
    pub(super) fn fill(self, sample: u32, values: &mut [f32]) {
        let sample = if self.common { 0 } else { sample };
        for (calls, values) in (0..).zip(values.chunks_mut(4 * philox::TOGETHER)) {
            let first = calls * philox::TOGETHER as u32;
            let words = philox::words(first, sample, self.key);
            let mut noise = [[0.0; 4]; philox::TOGETHER];
            for (lane, words) in words.iter().enumerate() {
                for (noise, word) in noise.iter_mut().zip(words) {
                    noise[lane] = self.bound.number(*word);
                }
            }
            values.copy_from_slice(&noise.as_flattened()[..values.len()]);
        }
    }
}

/// Probability that a standard normal number is within [-1, 1].
const INSIDE: f32 = 0.682_689_5;
/// The normal quantile of u in [-INSIDE, INSIDE] is u times this polynomial in u^2; its error is below
/// 3e-8. From Chebyshev points, computed with double precision.
const QUANTILE: [f32; 8] = [
    1.253_314_1,
    0.328_123_16,
    0.180_113_32,
    0.127_026_74,
    0.054_954_555,
    0.227_878_72,
    -0.276_555_6,
    0.377_012_84,
];
/// The middle of the first of 2^24 equal parts of (-1, 1), in which the upper bits of a word lie.
const FIRST: f32 = -1.0 + 5.960_464_5e-8;
/// Width of a part.
const WIDTH: f32 = 1.192_092_9e-7;

impl Bound {
    /// The number of a random word.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_wrap,
        reason = "24 bits are exact, and signed numbers are converted faster"
    )]
    fn number(self, word: u32) -> f32 {
        let uniform = (word >> 8) as i32 as f32 * WIDTH + FIRST;
        let inside = match self {
            Self::Truncated => uniform * INSIDE,
            Self::Clipped => uniform.clamp(-INSIDE, INSIDE),
            Self::Uniform => return uniform,
        };
        let square = inside * inside;
        let sum = QUANTILE.iter().rev().fold(0.0, |sum, coefficient| sum * square + coefficient);
        (inside * sum).clamp(-1.0, 1.0)
    }
}

/// Dispatches [`CounterNoise::values`] to the backend of a device.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"))]
trait NoiseOp: Backend {
    /// Noise of the given shape on the device of `anchor`.
    fn noise_values(
        anchor: FloatTensor<Self>,
        shape: [usize; 4],
        noise: CounterNoise,
    ) -> FloatTensor<Self>;
}

impl NoiseOp for Flex {
    fn noise_values(_: FlexTensor, shape: [usize; 4], noise: CounterNoise) -> FlexTensor {
        let [batch, rows, components, latents] = shape;
        let len = rows * components * latents;
        let mut values = vec![0.0; batch * len];
        for_each_chunk(&mut values, len, |sample, values| noise.fill(sample as u32, values));
        float_tensor(values, shape)
    }
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

    fn noise(bound: Bound) -> Vec<f32> {
        let mut values = vec![0.0; 200_001];
        CounterNoise { key: [1, 2], bound, common: false }.fill(3, &mut values);
        values
    }

    #[test]
    fn the_quantile_is_the_inverse_of_the_normal_distribution() {
        // Twice the integral of the density from 0 to x, by Simpson's rule.
        let mass = |x: f64| {
            let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let h = x / 200.0;
            let term = |i: i32| {
                let weight = [2.0, 4.0][i as usize % 2];
                weight * density(h * f64::from(i))
            };
            2.0 * h / 3.0 * (density(0.0) + density(x) + (1..200).map(term).sum::<f64>())
        };
        assert!((mass(1.0) - f64::from(INSIDE)).abs() < 1e-7);
        for part in (0..1 << 24).step_by(65_537) {
            let uniform = (f64::from(part) + 0.5) / f64::from(1 << 23) - 1.0;
            let word = (part as u32) << 8 | 0xAB;
            let normal = f64::from(Bound::Clipped.number(word));
            let expected = uniform.clamp(-mass(1.0), mass(1.0));
            let found = mass(normal.abs()) * normal.signum();
            assert!((found - expected).abs() < 2e-7, "{uniform}: {found}, not {expected}");
            let found = f64::from(Bound::Truncated.number(word));
            let found = mass(found.abs()) * found.signum();
            assert!((found - uniform * mass(1.0)).abs() < 2e-7, "{uniform}: {found}");
        }
    }

    #[test]
    fn moments_are_those_of_the_bounded_distributions() {
        // Of the standard normal: 31.7 % outside; variance inside 1 - 2 phi(1) / INSIDE = 0.2912.
        let (clipped, truncated) = (noise(Bound::Clipped), noise(Bound::Truncated));
        let mean = |values: &[f32], of: &dyn Fn(f64) -> f64| {
            values.iter().map(|x| of(f64::from(*x))).sum::<f64>() / values.len() as f64
        };
        let outside = mean(&clipped, &|x| f64::from(u8::from(x.abs() > 0.999_999)));
        assert!((outside - 0.317_311).abs() < 0.004, "{outside}");
        let square = mean(&clipped, &|x| x * x);
        assert!((square - (0.682_689 * 0.291_125 + 0.317_311)).abs() < 0.004, "{square}");
        let square = mean(&truncated, &|x| x * x);
        assert!((square - 0.291_125).abs() < 0.003, "{square}");
        for values in [&clipped, &truncated] {
            assert!(mean(values, &|x| x).abs() < 0.005);
            assert!(values.iter().all(|x| x.abs() <= 1.0));
            let next: f64 =
                values.windows(2).map(|w| f64::from(w[0] * w[1])).sum::<f64>() / 200_000.0;
            assert!(next.abs() < 0.005, "neighbours are independent: {next}");
        }
    }

    #[test]
    fn a_number_depends_on_its_key_its_sample_and_its_place_alone() {
        let bound = Bound::Clipped;
        let one = CounterNoise { key: [1, 2], bound, common: false };
        let device = Device::flex();
        let read = |noise: CounterNoise, shape| -> Vec<f32> {
            noise.values(shape, &device).into_data().try_to_vec().expect("f32")
        };
        let all = read(one, [3, 5, 2, 7]);
        assert_eq!(all[..140], read(one, [2, 5, 2, 7]), "not on the size of the batch");
        assert_ne!(all[..70], all[70..140], "samples differ");
        let common = read(CounterNoise { common: true, ..one }, [2, 5, 2, 7]);
        assert_eq!((&common[..70], &common[70..]), (&all[..70], &all[..70]));
        let other = read(CounterNoise { key: [1, 3], ..one }, [1, 5, 2, 7]);
        assert_ne!(other, all[..70]);
        let mut rng = stream(1, Stream::Noise);
        let [a, b] = [(); 2].map(|()| CounterNoise::new(bound, &mut rng));
        assert_ne!(a, b);
    }
}
