//! Stored frames on a GPU: a copy in place, and the gathering of observations.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use deepspi_worlds::frame::FrameShape;

use super::{FramesOp, words_of_plane};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{CubeTensor, contiguous, covering, workgroup};

impl FramesOp for Cube {
    fn place_words(store: CubeTensor, words: CubeTensor, start: usize) -> CubeTensor {
        let len = words.shape().num_elements();
        place_kernel::launch(
            &store.client.clone(),
            covering(len),
            workgroup(),
            contiguous(words).into_buffer_arg(),
            store.clone().into_buffer_arg(),
            start as u32,
            len as u32,
        );
        store
    }

    fn gather_frames(
        store: CubeTensor,
        places: CubeTensor,
        before: CubeTensor,
        [first, count]: [usize; 2],
        frame: FrameShape,
    ) -> CubeTensor {
        let batch = places.shape().dims::<2>()[0];
        gather_kernel::launch(
            &store.client.clone(),
            covering(batch * frame.len()),
            workgroup(),
            store.into_buffer_arg(),
            contiguous(places).into_buffer_arg(),
            before.clone().into_buffer_arg(),
            batch as u32,
            first as u32,
            count as u32,
            frame,
        );
        made(Made::Frames, before)
    }
}

#[cube(launch)]
fn place_kernel(words: &[i32], store: &mut [i32], start: u32, len: u32) {
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < len as usize {
        store[start as usize + i] = words[i];
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

#[cube(launch)]
fn gather_kernel(
    store: &[i32],
    places: &[i32],
    observations: &mut [f32],
    batch: u32,
    first: u32,
    count: u32,
    #[comptime] frame: FrameShape,
) {
    let pixels = comptime!(frame.height * frame.width);
    let words = comptime!(words_of_plane(frame));
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < batch as usize * comptime!(frame.len()) {
        let channel = i % frame.channels;
        let pixel = i / frame.channels % pixels;
        let observation = i / frame.channels / pixels;
        let place = places[observation * frame.channels + channel] as u32;
        if place >= first && place - first < count {
            let word = store[(place - first) as usize * words + pixel / 4usize] as u32;
            let byte = (word >> (8u32 * (pixel % 4usize) as u32)) & 255u32;
            observations[i] = byte as f32 / 255.0f32;
        }
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}
