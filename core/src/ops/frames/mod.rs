//! Frames on a GPU: bytes, four to a word, gathered into observations of floats.
//!
//! A rollout's frames are stored once as bytes and stay on the device; a minibatch is a list of places.
//! On the CPU the rollout gathers from its own bytes, so these operations exist for GPUs alone.

#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{Int, Tensor};
use deepspi_worlds::frame::FrameShape;

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
#[backend_extension(Cube: cfg(feature = "gpu"))]
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

/// Words of four bytes that hold a plane.
pub(crate) const fn words_of_plane(frame: FrameShape) -> usize {
    (frame.height * frame.width).div_ceil(4)
}
