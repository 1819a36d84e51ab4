//! The counter-based generator that fills golden parameters, and the inputs made with it.

use burn::tensor::{Device, Tensor, TensorData};
use deepspi_run::network::NetworkSpec;

use crate::data::frames::FrameStore;

const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

/// Number `i` of the stream `seed`, in [0, 1).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
pub const fn uniform(seed: u64, i: u64) -> f64 {
    let mut z = seed.wrapping_mul(GOLDEN_RATIO).wrapping_add((i + 1).wrapping_mul(GOLDEN_RATIO));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

/// `len` numbers in `[low, high)`.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is part of the definition")]
pub fn fill(seed: u64, len: usize, low: f64, high: f64) -> Vec<f32> {
    (0..len as u64).map(|i| (low + (high - low) * uniform(seed, i)) as f32).collect()
}

/// `len` pixel values.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= value < 256")]
pub fn pixels(seed: u64, len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (256.0 * uniform(seed, i)) as u8).collect()
}

/// Observations, then next observations, of `batch` transitions: `[2B, H, W, C]` in [0, 1].
#[must_use]
pub fn frames(
    spec: &NetworkSpec,
    batch: usize,
    offset: u64,
    with_next: bool,
    device: &Device,
) -> Tensor<4> {
    let len = spec.frame.len();
    let mut bytes = pixels(offset + 1, batch * len);
    if with_next {
        bytes.extend(pixels(offset + 2, batch * len));
    }
    let count = bytes.len() / len;
    let mut store = FrameStore::new(spec.frame, count, 0);
    store.push(&bytes);
    let all: Vec<usize> = (0..count).collect();
    store.gather(&all, device)
}

/// Actions `i mod A` of the samples from `first` on, one-hot `[B, A]`.
#[must_use]
pub fn actions(actions: usize, first: usize, batch: usize, device: &Device) -> Tensor<2> {
    let mut one_hot = vec![0.0; batch * actions];
    for (i, row) in one_hot.chunks_mut(actions).enumerate() {
        row[(first + i) % actions] = 1.0;
    }
    Tensor::from_data(TensorData::new(one_hot, [batch, actions]), device)
}

/// The start vector of every power iteration in a golden file.
#[must_use]
pub fn start_vector(offset: u64, len: usize) -> Vec<f32> {
    fill(offset + 7001, len, -1.732_050_8, 1.732_050_8)
}

/// Noise of the transition sample, `[B, K, h, w, c]`, clipped to [-1, 1].
#[must_use]
pub fn noise<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let mut values = fill(seed, shape.iter().product(), -1.5, 1.5);
    values.iter_mut().for_each(|x| *x = x.clamp(-1.0, 1.0));
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Noise of this shape that is not clipped.
#[must_use]
pub fn free_noise<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = fill(seed, shape.iter().product(), -1.5, 1.5);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Numbers in (0, 1), for Gumbel noise and probabilities.
#[must_use]
pub fn uniforms<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = fill(seed, shape.iter().product(), 0.001, 0.999);
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_numbers_are_those_of_the_reference() {
        // These values were printed by the script that made the golden files.
        let found: Vec<f64> = (0..3).map(|i| uniform(1, i)).collect();
        for (found, expected) in found.iter().zip(REFERENCE) {
            assert!((found - expected).abs() < 1e-11, "{found} {expected}");
        }
    }

    const REFERENCE: [f64; 3] = [0.431527997049, 0.026433771593, 0.970881978154];
}
