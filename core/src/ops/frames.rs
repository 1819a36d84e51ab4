//! Frames on a GPU: bytes, four to a word, gathered into observations of floats.
//!
//! A rollout's frames are stored once as bytes and stay on the device; a minibatch is a list of places.
//! On the CPU the rollout gathers from its own bytes, so these operations exist for GPUs alone.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Cube, Dispatch, TensorMetadata, backend_extension};
use burn::cubecl;
use burn::cubecl::prelude::*;
use burn::tensor::{Int, Tensor};
use deepspi_worlds::frame::FrameShape;

use super::broken::{Made, made};
use super::gpu::{CubeTensor, contiguous, covering, workgroup};

/// Writes words into `store` `[W]` from word `start` on, in place: nothing else may use the store.
pub(crate) fn place(store: Tensor<1, Int>, words: Tensor<1, Int>, start: usize) -> Tensor<1, Int> {
    let (store, words) = (store.into_dispatch(), words.into_dispatch());
    Tensor::from_dispatch(<Dispatch as FramesOp>::place_words(store, words, start))
}

/// Observations `[B, H, W, C]` in [0, 1] on the device of `store`.
///
/// `places` `[B, C]` are the planes of the observations: plane p is the `H W` bytes from word
/// `p * words` on, where `words` is the least number of words that hold a plane. The store holds the
/// planes from `first` up to `first + count`; entries of other planes keep the values of `before`, which
/// is overwritten.
pub(crate) fn gather(
    store: Tensor<1, Int>,
    places: Tensor<2, Int>,
    before: Option<Tensor<4>>,
    [first, count]: [usize; 2],
    frame: FrameShape,
) -> Tensor<4> {
    let before = before.unwrap_or_else(|| {
        let FrameShape { channels, height, width } = frame;
        Tensor::empty([places.dims()[0], height, width, channels], &store.device())
    });
    Tensor::from_dispatch(<Dispatch as FramesOp>::gather_frames(
        store.into_dispatch(),
        places.into_dispatch(),
        before.into_dispatch(),
        [first, count],
        frame,
    ))
}

/// Dispatches to a GPU.
#[backend_extension(Cube)]
trait FramesOp: Backend {
    /// See [`place`].
    fn place_words(store: IntTensor<Self>, words: IntTensor<Self>, start: usize)
    -> IntTensor<Self>;

    /// See [`gather`].
    fn gather_frames(
        store: IntTensor<Self>,
        places: IntTensor<Self>,
        before: FloatTensor<Self>,
        range: [usize; 2],
        frame: FrameShape,
    ) -> FloatTensor<Self>;
}

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

/// Words of four bytes that hold a plane.
pub(crate) const fn words_of_plane(frame: FrameShape) -> usize {
    (frame.height * frame.width).div_ceil(4)
}
