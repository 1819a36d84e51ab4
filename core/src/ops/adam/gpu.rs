//! Clipping and Adam on a GPU: partial sums of squares, then the step, in which every workgroup adds
//! the partial sums again instead of waiting for another kernel.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::{AdamOp, AdamStep};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{CubeTensor, UNITS, contiguous, sum_of_units, uninitialised, workgroup};

/// Workgroups of both kernels; also the number of partial sums, one for each unit of a workgroup.
const WORKGROUPS: u32 = UNITS as u32;

impl AdamOp for Cube {
    fn clipped_adam(
        parameters: CubeTensor,
        grads: CubeTensor,
        moment_1: CubeTensor,
        moment_2: CubeTensor,
        step: AdamStep,
    ) -> (CubeTensor, CubeTensor) {
        let inputs = [parameters, grads, moment_1, moment_2].map(contiguous);
        let [parameters, grads, moment_1, moment_2] = inputs;
        let len = parameters.shape().num_elements();
        let client = parameters.client.clone();
        let squares = uninitialised(&grads, [WORKGROUPS as usize]);
        squares_kernel::launch(
            &client,
            CubeCount::Static(WORKGROUPS, 1, 1),
            workgroup(),
            grads.clone().into_buffer_arg(),
            squares.clone().into_buffer_arg(),
            len,
        );
        let all = uninitialised(&parameters, [3 * len]);
        let norm = uninitialised(&parameters, [1]);
        let AdamStep { beta_1, beta_2, rate, bias_correction_2, epsilon, keep, max_norm } = step;
        adam_kernel::launch(
            &client,
            CubeCount::Static(4 * WORKGROUPS, 1, 1),
            workgroup(),
            parameters.into_buffer_arg(),
            grads.into_buffer_arg(),
            moment_1.into_buffer_arg(),
            moment_2.into_buffer_arg(),
            squares.into_buffer_arg(),
            all.clone().into_buffer_arg(),
            norm.clone().into_buffer_arg(),
            beta_1,
            beta_2,
            rate,
            bias_correction_2,
            epsilon,
            keep,
            max_norm,
            len,
        );
        (made(Made::AdamStep, all), norm)
    }
}

#[cube(launch)]
fn squares_kernel(grads: &[f32], squares: &mut [f32], #[comptime] len: usize) {
    let mut shared = Shared::new_slice(UNITS);
    let mut sum = 0.0f32;
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < len {
        sum += grads[i] * grads[i];
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
    let sum = sum_of_units(sum, &mut shared);
    if UNIT_POS == 0 {
        squares[CUBE_POS_X as usize] = sum;
    }
}

#[cube(launch)]
fn adam_kernel(
    parameters: &[f32],
    grads: &[f32],
    moment_1: &[f32],
    moment_2: &[f32],
    squares: &[f32],
    all: &mut [f32],
    norm: &mut [f32],
    beta_1: f32,
    beta_2: f32,
    rate: f32,
    bias_correction_2: f32,
    epsilon: f32,
    keep: f32,
    max_norm: f32,
    #[comptime] len: usize,
) {
    let mut shared = Shared::new_slice(UNITS);
    let length = sum_of_units(squares[UNIT_POS as usize], &mut shared).sqrt();
    let mut factor = 1.0f32;
    if length > max_norm {
        factor = max_norm / length;
    }
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    if i == 0usize {
        norm[0usize] = length;
    }
    while i < len {
        let g = grads[i] * factor;
        let m = beta_1 * moment_1[i] + (1.0f32 - beta_1) * g;
        let v = beta_2 * moment_2[i] + (1.0f32 - beta_2) * (g * g);
        let denominator = (v / bias_correction_2).sqrt() + epsilon;
        all[i] = keep * parameters[i] - rate * (m / denominator);
        all[len + i] = m;
        all[2usize * len + i] = v;
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}
