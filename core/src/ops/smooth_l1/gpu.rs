//! The distance of rows on a GPU: a workgroup for a long row, a unit for a short one.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::{DistanceKernels, DistanceOp};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{
    CubeTensor, UNITS, contiguous, covering, sum_of_units, uninitialised, workgroup,
};

impl DistanceOp for Cube {
    fn row_distance(a: CubeTensor, b: CubeTensor) -> CubeTensor {
        let shape: [usize; 2] = a.shape().dims();
        let [a, b] = [a, b].map(contiguous);
        let distance = uninitialised(&a, [shape[0]]);
        // A row of one number needs no workgroup of its own.
        let together = shape[1] < 64;
        let count =
            if together { covering(shape[0]) } else { CubeCount::Static(shape[0] as u32, 1, 1) };
        distance_kernel::launch(
            &a.client.clone(),
            count,
            workgroup(),
            a.into_buffer_arg(),
            b.into_buffer_arg(),
            distance.clone().into_buffer_arg(),
            shape[0] as u32,
            shape[1],
            together,
        );
        made(Made::Distance, distance)
    }
}

impl DistanceKernels for Cube {
    fn distance_grads(a: CubeTensor, b: CubeTensor, grad: CubeTensor) -> (CubeTensor, CubeTensor) {
        let shape: [usize; 2] = a.shape().dims();
        let [a, b, grad] = [a, b, grad].map(contiguous);
        let (of_a, of_b) = (uninitialised(&a, shape), uninitialised(&a, shape));
        distance_grads_kernel::launch(
            &a.client.clone(),
            covering(shape[0] * shape[1]),
            workgroup(),
            a.into_buffer_arg(),
            b.into_buffer_arg(),
            grad.into_buffer_arg(),
            of_a.clone().into_buffer_arg(),
            of_b.clone().into_buffer_arg(),
            shape[0] as u32,
            shape[1],
        );
        (made(Made::DistanceGradients, of_a), made(Made::DistanceGradients, of_b))
    }
}

#[cube(launch)]
fn distance_kernel(
    a: &[f32],
    b: &[f32],
    distance: &mut [f32],
    rows: u32,
    #[comptime] len: usize,
    #[comptime] together: bool,
) {
    if comptime!(together) {
        let mut row = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
        while row < rows as usize {
            let mut sum = 0.0f32;
            for i in 0..len {
                sum += one_distance(a[row * len + i] - b[row * len + i]);
            }
            distance[row] = sum;
            row += (CUBE_COUNT_X * CUBE_DIM) as usize;
        }
    } else {
        let mut shared = Shared::new_slice(UNITS);
        let row = CUBE_POS_X as usize;
        let mut sum = 0.0f32;
        let mut i = UNIT_POS as usize;
        while i < len {
            sum += one_distance(a[row * len + i] - b[row * len + i]);
            i += UNITS;
        }
        let sum = sum_of_units(sum, &mut shared);
        if UNIT_POS == 0 {
            distance[row] = sum;
        }
    }
}

#[cube]
fn one_distance(error: f32) -> f32 {
    let size = error.abs();
    let inside = size.min(1.0f32);
    (size - inside * 0.5f32) * inside
}

#[cube(launch)]
fn distance_grads_kernel(
    a: &[f32],
    b: &[f32],
    grad: &[f32],
    of_a: &mut [f32],
    of_b: &mut [f32],
    rows: u32,
    #[comptime] len: usize,
) {
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < rows as usize * len {
        let error = a[i] - b[i];
        let slope = grad[i / len] * error.clamp(-1.0f32, 1.0f32);
        of_a[i] = slope;
        of_b[i] = -slope;
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}
