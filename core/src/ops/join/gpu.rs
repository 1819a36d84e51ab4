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
            start as u32,
            length as u32,
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
        let lengths = parts.each_ref().map(|part| part.shape().num_elements() as u32);
        let starts = starts.map(|start| start as u32);
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
            starts[0],
            starts[1],
            starts[2],
            starts[3],
            starts[4],
            lengths[0],
            lengths[1],
            lengths[2],
            lengths[3],
            lengths[4],
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
    start_a: u32,
    start_b: u32,
    start_c: u32,
    start_d: u32,
    start_e: u32,
    len_a: u32,
    len_b: u32,
    len_c: u32,
    len_d: u32,
    len_e: u32,
) {
    let part = CUBE_POS_Y;
    if part == 0 {
        copy(a, joined, start_a, len_a);
    } else if part == 1 {
        copy(b, joined, start_b, len_b);
    } else if part == 2 {
        copy(c, joined, start_c, len_c);
    } else if part == 3 {
        copy(d, joined, start_d, len_d);
    } else {
        copy(e, joined, start_e, len_e);
    }
}

#[cube(launch)]
fn join_one(part: &[f32], joined: &mut [f32], start: u32, length: u32) {
    copy(part, joined, start, length);
}

/// Copies a part with all workgroups of its row of the grid.
#[cube]
fn copy(part: &[f32], joined: &mut [f32], start: u32, length: u32) {
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < length as usize {
        joined[start as usize + i] = part[i];
        i += comptime!(WORKGROUPS as usize * UNITS);
    }
}
