//! GroupSort on a GPU: one unit for a pair.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::GroupSortKernels;
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{CubeTensor, contiguous, covering, uninitialised, workgroup};

impl GroupSortKernels for Cube {
    fn arrange(by: CubeTensor, moved: CubeTensor) -> CubeTensor {
        let shape: [usize; 2] = by.shape().dims();
        let [by, moved] = [by, moved].map(contiguous);
        let arranged = uninitialised(&by, shape);
        arrange_kernel::launch(
            &by.client.clone(),
            covering(shape[0]),
            workgroup(),
            by.into_buffer_arg(),
            moved.into_buffer_arg(),
            arranged.clone().into_buffer_arg(),
            shape[0] as u32,
        );
        made(Made::SortedPairs, arranged)
    }
}

#[cube(launch)]
fn arrange_kernel(by: &[f32], moved: &[f32], arranged: &mut [f32], pairs: u32) {
    let mut pair = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while pair < pairs as usize {
        let first = 2usize * pair;
        let second = first + 1usize;
        if by[first] > by[second] {
            arranged[first] = moved[second];
            arranged[second] = moved[first];
        } else {
            arranged[first] = moved[first];
            arranged[second] = moved[second];
        }
        pair += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}
