//! The sample of the mixture on a GPU.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::{MIN_SCALE, MixtureKernels, Sizes, Source};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{
    CubeTensor, UNITS, contiguous, covering, sum_of_units, uninitialised, workgroup,
};
use crate::ops::noise::{Bound, noise_at};

impl MixtureKernels for Cube {
    fn sample(
        raw: CubeTensor,
        weights: CubeTensor,
        noise: CubeTensor,
        source: Source,
    ) -> CubeTensor {
        let s = Sizes::of(&raw.shape());
        let [raw, weights, noise] = [raw, weights, noise].map(contiguous);
        let sample = uninitialised(&raw, [s.batch, s.rows, s.latents]);
        let ([key_0, key_1, own], bound) = arguments(source);
        sample_kernel::launch(
            &raw.client.clone(),
            covering(s.batch * s.rows * s.latents),
            workgroup(),
            raw.into_buffer_arg(),
            weights.into_buffer_arg(),
            noise.into_buffer_arg(),
            sample.clone().into_buffer_arg(),
            s.batch as u32,
            key_0,
            key_1,
            own,
            bound,
            Sizes { batch: 0, ..s },
        );
        made(Made::MixtureSample, sample)
    }

    fn sample_grads(
        raw: CubeTensor,
        weights: CubeTensor,
        noise: CubeTensor,
        grad: CubeTensor,
        source: Source,
    ) -> (CubeTensor, CubeTensor) {
        let s = Sizes::of(&raw.shape());
        let [raw, weights, noise, grad] = [raw, weights, noise, grad].map(contiguous);
        let raw_grad = uninitialised(&raw, [s.batch, s.rows, 2, s.components, s.latents]);
        let weights_grad = uninitialised(&raw, [s.batch, s.components]);
        let ([key_0, key_1, own], bound) = arguments(source);
        sample_grads_kernel::launch(
            &raw.client.clone(),
            CubeCount::Static(s.batch as u32, 1, 1),
            workgroup(),
            raw.into_buffer_arg(),
            weights.into_buffer_arg(),
            noise.into_buffer_arg(),
            grad.into_buffer_arg(),
            raw_grad.clone().into_buffer_arg(),
            weights_grad.clone().into_buffer_arg(),
            key_0,
            key_1,
            own,
            bound,
            Sizes { batch: 0, ..s },
        );
        (
            made(Made::MixtureSampleGradient, raw_grad),
            made(Made::MixtureWeightsGradient, weights_grad),
        )
    }
}

/// Key, whether samples have their own noise, and bound of noise that the kernels compute.
const fn arguments(source: Source) -> ([u32; 3], Option<Bound>) {
    match source {
        Source::Given => ([0; 3], None),
        Source::Counter(noise) => {
            ([noise.key[0], noise.key[1], !noise.common as u32], Some(noise.bound))
        }
    }
}

#[cube(launch)]
fn sample_kernel(
    raw: &[f32],
    weights: &[f32],
    noise: &[f32],
    sample: &mut [f32],
    batch: u32,
    key_0: u32,
    key_1: u32,
    own: u32,
    #[comptime] bound: Option<Bound>,
    #[comptime] s: Sizes,
) {
    let len = batch as usize * comptime!(s.rows * s.latents);
    let kd = comptime!(s.components * s.latents);
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < len {
        let row = i / s.latents;
        let batch = row / s.rows;
        let mut sum = 0.0f32;
        for k in 0..s.components {
            let at = k * s.latents + i % s.latents;
            let location = raw[row * 2usize * kd + at];
            let scale = softplus(raw[row * 2usize * kd + kd + at]) + MIN_SCALE;
            let weight = weights[batch * s.components + k];
            let eps = noise_of(noise, row, at, (key_0, key_1), own, bound, s);
            sum += weight * 0.5f32 * (location + eps * scale);
        }
        sample[i] = sum;
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

/// One workgroup for each sample of the batch, because the gradient of its weights is a sum.
#[cube(launch)]
fn sample_grads_kernel(
    raw: &[f32],
    weights: &[f32],
    noise: &[f32],
    grad: &[f32],
    raw_grad: &mut [f32],
    weights_grad: &mut [f32],
    key_0: u32,
    key_1: u32,
    own: u32,
    #[comptime] bound: Option<Bound>,
    #[comptime] s: Sizes,
) {
    let mut shared = Shared::new_slice(UNITS);
    let kd = comptime!(s.components * s.latents);
    let batch = CUBE_POS_X as usize;
    for k in 0..s.components {
        let weight = weights[batch * s.components + k];
        let mut along_weight = 0.0f32;
        let mut i = UNIT_POS as usize;
        while i < comptime!(s.rows * s.latents) {
            let row = batch * s.rows + i / s.latents;
            let at = k * s.latents + i % s.latents;
            let upstream = grad[row * s.latents + i % s.latents];
            let location = raw[row * 2usize * kd + at];
            let x = raw[row * 2usize * kd + kd + at];
            let eps = noise_of(noise, row, at, (key_0, key_1), own, bound, s);
            let outer = 0.5f32 * weight * upstream;
            raw_grad[row * 2usize * kd + at] = outer;
            raw_grad[row * 2usize * kd + kd + at] = outer * eps * sigmoid(x);
            let scale = softplus(x) + MIN_SCALE;
            along_weight += upstream * 0.5f32 * (location + eps * scale);
            i += UNITS;
        }
        let sum = sum_of_units(along_weight, &mut shared);
        if UNIT_POS == 0 {
            weights_grad[batch * s.components + k] = sum;
        }
    }
}

/// Noise of entry `at` of `[K, D]` in row `row` of all samples: computed if there is a bound, else read.
#[cube]
fn noise_of(
    given: &[f32],
    row: usize,
    at: usize,
    key: (u32, u32),
    own: u32,
    #[comptime] bound: Option<Bound>,
    #[comptime] s: Sizes,
) -> f32 {
    let kd = comptime!(s.components * s.latents);
    if comptime!(bound.is_some()) {
        let element = row % s.rows * kd + at;
        noise_at(row / s.rows, element, key, own, comptime!(bound.unwrap_or(Bound::Clipped)))
    } else {
        given[row * kd + at]
    }
}

#[cube]
fn softplus(x: f32) -> f32 {
    // Not `ln_1p`, which WGSL does not have: below 1e-7 the sum is 1, and the result 0.
    x.max(0.0f32) + (1.0f32 + (-x.abs()).exp()).ln()
}

#[cube]
fn sigmoid(x: f32) -> f32 {
    let small = (-x.abs()).exp();
    select(x >= 0.0f32, 1.0f32, small) / (1.0f32 + small)
}
