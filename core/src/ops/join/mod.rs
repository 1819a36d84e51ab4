//! Vectors copied to given places of a longer vector.
//!
//! burn's `cat` launches one kernel for each part; an update would launch twenty for the gradients of
//! its parameters.

mod gpu;

use burn::backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

use super::cpu::on_cpu;

/// Parts that one launch copies. Every GPU has seven buffers for a kernel; burn's dispatch knows no lists.
const TOGETHER: usize = 5;

/// A vector `[len]` with each of `parts` at its place in `starts`, and zeros elsewhere. The places must
/// ascend, and parts must not overlap. Without autodiff.
///
/// # Panics
/// If there is no part, or not one place for each.
#[must_use]
pub fn join(parts: Vec<Tensor<1>>, starts: &[usize], len: usize) -> Tensor<1> {
    assert_eq!(parts.len(), starts.len(), "each part has a place");
    let device = parts[0].device();
    if on_cpu(&device) {
        return concatenated(parts, starts, len);
    }
    let joined = Tensor::<1>::zeros([len], &device).into_dispatch();
    let mut parts = parts.into_iter().map(Tensor::into_dispatch);
    let mut next = || parts.next().expect("there is a part for each place");
    let (fives, ones) = starts.as_chunks::<TOGETHER>();
    let joined = fives.iter().fold(joined, |joined, &starts| {
        let [a, b, c, d, e] = [next(), next(), next(), next(), next()];
        <Dispatch as JoinOp>::place_five(joined, a, b, c, d, e, starts)
    });
    Tensor::from_dispatch(
        ones.iter()
            .fold(joined, |joined, &start| <Dispatch as JoinOp>::place_one(joined, next(), start)),
    )
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

/// Writes parts into a vector that nothing else uses.
#[backend_extension(Cube)]
pub trait JoinOp: Backend {
    /// Places one part.
    fn place_one(
        joined: FloatTensor<Self>,
        part: FloatTensor<Self>,
        start: usize,
    ) -> FloatTensor<Self>;

    /// Places five parts.
    fn place_five(
        joined: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
        starts: [usize; TOGETHER],
    ) -> FloatTensor<Self>;
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn parts_are_at_their_places_and_zeros_between() {
        let part = |x: &[f32]| Tensor::<1>::from_floats(x, &Device::flex());
        let joined = join(vec![part(&[1.0, 2.0]), part(&[3.0])], &[1, 4], 6);
        let found: Vec<f32> = joined.into_data().try_to_vec().expect("f32");
        assert_eq!(found, [0.0, 1.0, 2.0, 0.0, 3.0, 0.0]);
    }
}
