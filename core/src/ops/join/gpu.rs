//! Joining and cutting on a GPU.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;
use burn::tensor::Shape;

use super::{JoinOp, Place, TOGETHER};
use crate::ops::ALIGNMENT;
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{CubeTensor, UNITS, contiguous, uninitialised, workgroup};

/// Workgroups that share the numbers of a part.
const WORKGROUPS: u32 = 256;

impl JoinOp for Cube {
    fn empty_like(part: CubeTensor, len: usize) -> CubeTensor {
        uninitialised(&part, [len])
    }

    fn place_one(joined: CubeTensor, part: CubeTensor, place: Place) -> CubeTensor {
        let Place { start, reach } = place;
        let length = part.shape().num_elements();
        join_one::launch(
            &joined.client.clone(),
            CubeCount::Static(WORKGROUPS, 1, 1),
            workgroup(),
            contiguous(part).into_buffer_arg(),
            joined.clone().into_buffer_arg(),
            start as u32,
            length as u32,
            reach as u32,
        );
        made(Made::Joined, joined)
    }

    fn place_five(
        joined: CubeTensor,
        a: CubeTensor,
        b: CubeTensor,
        c: CubeTensor,
        d: CubeTensor,
        e: CubeTensor,
        places: [Place; TOGETHER],
    ) -> CubeTensor {
        let parts = [a, b, c, d, e];
        let lengths = parts.each_ref().map(|part| part.shape().num_elements() as u32);
        let starts = places.map(|place| place.start as u32);
        let reaches = places.map(|place| place.reach as u32);
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
            reaches[0],
            reaches[1],
            reaches[2],
            reaches[3],
            reaches[4],
        );
        made(Made::Joined, joined)
    }

    fn part(vector: CubeTensor, start: usize, shape: &[usize]) -> CubeTensor {
        let vector = contiguous(vector);
        let size = size_of::<f32>();
        let len: usize = shape.iter().product();
        assert!(start + len <= vector.shape().num_elements(), "a part lies inside of its vector");
        // The end of a view must be aligned, too. No kernel looks beyond the part's shape.
        let end = (start + len).next_multiple_of(ALIGNMENT).min(vector.shape().num_elements());
        let behind = vector.shape().num_elements() - end;
        let handle = vector.handle.clone();
        let handle = handle.offset_start((start * size) as u64).offset_end((behind * size) as u64);
        CubeTensor::new_contiguous(
            vector.client.clone(),
            vector.device(),
            Shape::from(shape.to_vec()),
            handle,
            vector.dtype(),
        )
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
    reach_a: u32,
    reach_b: u32,
    reach_c: u32,
    reach_d: u32,
    reach_e: u32,
) {
    let part = CUBE_POS_Y;
    if part == 0 {
        copy(a, joined, start_a, len_a, reach_a);
    } else if part == 1 {
        copy(b, joined, start_b, len_b, reach_b);
    } else if part == 2 {
        copy(c, joined, start_c, len_c, reach_c);
    } else if part == 3 {
        copy(d, joined, start_d, len_d, reach_d);
    } else {
        copy(e, joined, start_e, len_e, reach_e);
    }
}

#[cube(launch)]
fn join_one(part: &[f32], joined: &mut [f32], start: u32, length: u32, reach: u32) {
    copy(part, joined, start, length, reach);
}

/// Copies a part with all workgroups of its row of the grid, then writes zeros up to the next part.
#[cube]
fn copy(part: &[f32], joined: &mut [f32], start: u32, length: u32, reach: u32) {
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < reach as usize {
        let mut value = 0.0f32;
        if i < length as usize {
            value = part[i];
        }
        joined[start as usize + i] = value;
        i += comptime!(WORKGROUPS as usize * UNITS);
    }
}
