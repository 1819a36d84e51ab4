//! Joining on a GPU.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::{JoinOp, TOGETHER};
use crate::ops::gpu::{CubeTensor, UNITS, contiguous, workgroup};

/// Workgroups that share the numbers of a part.
const WORKGROUPS: u32 = 256;

impl JoinOp for Cube {
    fn place_one(joined: CubeTensor, part: CubeTensor, start: usize) -> CubeTensor {
        let length = part.shape().num_elements();
        join_one::launch(
            &joined.client.clone(),
            CubeCount::Static(WORKGROUPS, 1, 1),
            workgroup(),
            contiguous(part).into_buffer_arg(),
            joined.clone().into_buffer_arg(),
            start,
            length,
        );
        joined
    }

    fn place_five(
        joined: CubeTensor,
        a: CubeTensor,
        b: CubeTensor,
        c: CubeTensor,
        d: CubeTensor,
        e: CubeTensor,
        starts: [usize; TOGETHER],
    ) -> CubeTensor {
        let parts = [a, b, c, d, e];
        let lengths = parts.each_ref().map(|part| part.shape().num_elements());
        let [a, b, c, d, e] = parts.map(|part| contiguous(part).into_buffer_arg());
        join_five::launch(
            &joined.client.clone(),
            CubeCount::Static(WORKGROUPS, TOGETHER as u32, 1),
            workgroup(),
            a,
            b,
            c,
            d,
            e,
            joined.clone().into_buffer_arg(),
            starts,
            lengths,
        );
        joined
    }
}

#[cube(launch)]
fn join_five(
    a: &[f32],
    b: &[f32],
    c: &[f32],
    d: &[f32],
    e: &[f32],
    joined: &mut [f32],
    #[comptime] starts: [usize; 5],
    #[comptime] lengths: [usize; 5],
) {
    let part = CUBE_POS_Y;
    if part == 0 {
        copy(a, joined, starts[0], lengths[0]);
    } else if part == 1 {
        copy(b, joined, starts[1], lengths[1]);
    } else if part == 2 {
        copy(c, joined, starts[2], lengths[2]);
    } else if part == 3 {
        copy(d, joined, starts[3], lengths[3]);
    } else {
        copy(e, joined, starts[4], lengths[4]);
    }
}

#[cube(launch)]
fn join_one(part: &[f32], joined: &mut [f32], #[comptime] start: usize, #[comptime] length: usize) {
    copy(part, joined, start, length);
}

/// Copies a part with all workgroups of its row of the grid.
#[cube]
fn copy(part: &[f32], joined: &mut [f32], #[comptime] start: usize, #[comptime] length: usize) {
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < length {
        joined[start + i] = part[i];
        i += comptime!(WORKGROUPS as usize * UNITS);
    }
}
