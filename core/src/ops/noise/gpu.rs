//! The noise on a GPU.

use burn::backend::Cube;
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::philox::{FACTORS, ROUNDS, WEYL};
use super::{Bound, CounterNoise, FIRST, INSIDE, NoiseOp, QUANTILE, WIDTH};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{CubeTensor, covering, uninitialised, workgroup};

impl NoiseOp for Cube {
    fn noise_values(anchor: CubeTensor, shape: [usize; 4], noise: CounterNoise) -> CubeTensor {
        let [batch, rows, components, latents] = shape;
        let values = uninitialised(&anchor, shape);
        noise_kernel::launch(
            &anchor.client.clone(),
            covering(shape.iter().product()),
            workgroup(),
            values.clone().into_buffer_arg(),
            batch as u32,
            noise.key[0],
            noise.key[1],
            u32::from(!noise.common),
            rows * components * latents,
            noise.bound,
        );
        made(Made::Noise, values)
    }
}

#[cube(launch)]
fn noise_kernel(
    values: &mut [f32],
    batch: u32,
    key_0: u32,
    key_1: u32,
    own: u32,
    #[comptime] len: usize,
    #[comptime] bound: Bound,
) {
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < batch as usize * len {
        values[i] = noise_at(i / len, i % len, (key_0, key_1), own, bound);
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

/// The noise of one element of a sample; `own` is 0 if all samples have the noise of the first, else 1.
#[cube]
pub(in crate::ops) fn noise_at(
    sample: usize,
    element: usize,
    key: (u32, u32),
    own: u32,
    #[comptime] bound: Bound,
) -> f32 {
    let counter = ((element / 4usize) as u32, sample as u32 * own, 0u32, 0u32);
    let uniform = f32::cast_from(word(counter, key, element % 4usize) >> 8u32) * WIDTH + FIRST;
    let mut inside = uniform * INSIDE;
    if comptime!(bound == Bound::Clipped) {
        inside = uniform.clamp(-INSIDE, INSIDE);
    }
    let square = inside * inside;
    let mut sum = square * comptime!(QUANTILE[7]) + comptime!(QUANTILE[6]);
    sum = sum * square + comptime!(QUANTILE[5]);
    sum = sum * square + comptime!(QUANTILE[4]);
    sum = sum * square + comptime!(QUANTILE[3]);
    sum = sum * square + comptime!(QUANTILE[2]);
    sum = sum * square + comptime!(QUANTILE[1]);
    sum = sum * square + comptime!(QUANTILE[0]);
    let mut number = (inside * sum).clamp(-1.0f32, 1.0f32);
    if comptime!(bound == Bound::Uniform) {
        number = uniform;
    }
    number
}

/// Word `lane` of the counter `(c0, c1, c2, c3)` in a kernel.
#[cube]
fn word(counter: (u32, u32, u32, u32), key: (u32, u32), lane: usize) -> u32 {
    let (mut c0, mut c1, mut c2, mut c3) = counter;
    let (mut k0, mut k1) = key;
    #[unroll]
    for _ in 0..ROUNDS {
        let high_0 = c0.mul_hi(comptime!(FACTORS[0]).runtime());
        let low_0 = c0 * comptime!(FACTORS[0]);
        let high_1 = c2.mul_hi(comptime!(FACTORS[1]).runtime());
        let low_1 = c2 * comptime!(FACTORS[1]);
        c0 = high_1 ^ c1 ^ k0;
        c1 = low_1;
        c2 = high_0 ^ c3 ^ k1;
        c3 = low_0;
        k0 += comptime!(WEYL[0]);
        k1 += comptime!(WEYL[1]);
    }
    let low = select(lane == 0usize, c0, c1);
    let high = select(lane == 2usize, c2, c3);
    select(lane < 2usize, low, high)
}
