//! Vectors copied to given places of a longer vector, and parts of it without copies.
//!
//! burn's `cat` launches one kernel for each part; an update would launch twenty for the gradients of
//! its parameters.

#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

use super::ALIGNMENT;
use super::cpu::on_cpu;

/// Parts that one launch copies. Every GPU has seven buffers for the tensors of a
/// kernel, and burn's dispatch takes no lists.
const TOGETHER: usize = 5;

/// Where a part is in the joined vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its first number.
    pub start: usize,
    /// Numbers up to the next part, or to the end.
    pub reach: usize,
}

/// A vector `[len]` with each of `parts` at its place in `starts`, and zeros elsewhere. The places must
/// ascend from 0, and parts must not overlap. Without autodiff.
///
/// # Panics
/// If there is no part, not one place for each, or the first is not at 0.
#[must_use]
pub fn join(parts: Vec<Tensor<1>>, starts: &[usize], len: usize) -> Tensor<1> {
    assert_eq!(parts.len(), starts.len(), "each part has a place");
    assert_eq!(starts.first(), Some(&0), "the first part is at the start");
    if on_cpu(&parts[0].device()) {
        return concatenated(parts, starts, len);
    }
    let ends = starts[1..].iter().chain([&len]);
    let places: Vec<Place> =
        starts.iter().zip(ends).map(|(&start, end)| Place { start, reach: end - start }).collect();
    let joined = <Dispatch as JoinOp>::empty_like(parts[0].clone().into_dispatch(), len);
    let mut parts = parts.into_iter().map(Tensor::into_dispatch);
    let mut next = || parts.next().expect("there is a part for each place");
    let (fives, ones) = places.as_chunks::<TOGETHER>();
    let joined = fives.iter().fold(joined, |joined, &places| {
        let [a, b, c, d, e] = [next(), next(), next(), next(), next()];
        <Dispatch as JoinOp>::place_five(joined, a, b, c, d, e, places)
    });
    Tensor::from_dispatch(
        ones.iter()
            .fold(joined, |joined, &place| <Dispatch as JoinOp>::place_one(joined, next(), place)),
    )
}

/// The part of a vector that begins at `start`, a multiple of [`ALIGNMENT`], in a shape. Without
/// autodiff. On a GPU nothing is copied, whatever the length is; burn's own cut copies parts whose
/// length is not a multiple of the alignment.
#[must_use]
pub fn part<const D: usize>(vector: &Tensor<1>, start: usize, shape: [usize; D]) -> Tensor<D> {
    let len: usize = shape.iter().product();
    if on_cpu(&vector.device()) || !start.is_multiple_of(ALIGNMENT) {
        return vector.clone().narrow(0, start, len).reshape(shape);
    }
    Tensor::from_dispatch(<Dispatch as JoinOp>::part(vector.clone().into_dispatch(), start, &shape))
}

fn concatenated(parts: Vec<Tensor<1>>, starts: &[usize], len: usize) -> Tensor<1> {
    let device = parts[0].device();
    let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
    let mut end = 0;
    for (part, &start) in parts.into_iter().zip(starts) {
        if start > end {
            pieces.push(Tensor::zeros([start - end], &device));
        }
        end = start + part.dims()[0];
        pieces.push(part);
    }
    if len > end {
        pieces.push(Tensor::zeros([len - end], &device));
    }
    Tensor::cat(pieces, 0)
}

/// Vectors on a GPU. Parts are written into a vector that nothing else uses.
#[backend_extension(Cube: cfg(feature = "gpu"))]
pub trait JoinOp: Backend {
    /// A vector of `len` undefined numbers on the device of `part`.
    fn empty_like(part: FloatTensor<Self>, len: usize) -> FloatTensor<Self>;

    /// Places one part.
    fn place_one(
        joined: FloatTensor<Self>,
        part: FloatTensor<Self>,
        place: Place,
    ) -> FloatTensor<Self>;

    /// Places five parts.
    fn place_five(
        joined: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
        places: [Place; TOGETHER],
    ) -> FloatTensor<Self>;

    /// See [`part`].
    fn part(vector: FloatTensor<Self>, start: usize, shape: &[usize]) -> FloatTensor<Self>;
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn parts_are_at_their_places_and_zeros_between() {
        let part = |x: &[f32]| Tensor::<1>::from_floats(x, &Device::flex());
        let joined = join(vec![part(&[1.0, 2.0]), part(&[3.0])], &[0, 4], 6);
        let found: Vec<f32> = joined.into_data().try_to_vec().expect("f32");
        assert_eq!(found, [1.0, 2.0, 0.0, 0.0, 3.0, 0.0]);
    }
}
