//! GroupSort of size 2: sorts the pairs (0, 1), (2, 3), ... of the last axis in ascending order.
//!
//! The gradient of a sorted number belongs to the number that it was. Of two equal numbers the first
//! stays first. As plain tensor operations it is five kernels forward and a dozen backward; [`composed`]
//! is that definition.

#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::flex::FlexTensor;
use burn::backend::{
    Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension, tensor::FloatTensor,
};
use burn::tensor::Tensor;
use deepspi_worlds::parallel::for_each_chunk;

use crate::ops::cpu::{self, float_tensor, values};

/// Sorts the pairs of the last axis, whose length must be even.
#[must_use]
pub fn group_sort<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    let shape = input.dims();
    let pairs = input.reshape([-1, 2]);
    let sorted = <Dispatch as GroupSortOp>::sort_pairs(pairs.into_dispatch());
    Tensor::<2>::from_dispatch(sorted).reshape(shape)
}

/// [`group_sort`] as plain tensor operations.
#[must_use]
pub fn composed<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    let shape = input.dims();
    let pairs: Tensor<2> = input.reshape([-1, 2]);
    let (first, second) = (pairs.clone().narrow(1, 0, 1), pairs.narrow(1, 1, 1));
    let low = first.clone().min_pair(second.clone());
    let high = first.max_pair(second);
    Tensor::cat(vec![low, high], 1).reshape(shape)
}

/// Dispatches [`group_sort`] to the backend that holds the tensor.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
pub trait GroupSortOp: Backend {
    /// Sorts each row of `[n, 2]`.
    fn sort_pairs(pairs: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// Value and gradient on one backend.
pub trait GroupSortKernels: Backend {
    /// Each row of `moved` `[n, 2]`, in the order that sorts the row of `by`. With `moved` = `by` that is
    /// the value; with the gradient of the sorted rows as `moved` it is the gradient, because swapping
    /// is its own inverse.
    fn arrange(by: FloatTensor<Self>, moved: FloatTensor<Self>) -> FloatTensor<Self>;
}

macro_rules! route {
    ($backend:ty) => {
        impl GroupSortOp for $backend {
            fn sort_pairs(pairs: FloatTensor<Self>) -> FloatTensor<Self> {
                Self::arrange(pairs.clone(), pairs)
            }
        }
    };
}
route!(Flex);
#[cfg(feature = "gpu")]
route!(burn::backend::Cube);

impl GroupSortKernels for Flex {
    fn arrange(by: FlexTensor, moved: FlexTensor) -> FlexTensor {
        /// Pairs of one piece of work.
        const CHUNK: usize = 16_384;
        let shape: [usize; 2] = by.shape().dims();
        let [by, moved] = [by, moved].map(cpu::contiguous);
        let (by, moved) = (values(&by).as_chunks::<2>().0, values(&moved).as_chunks::<2>().0);
        let mut arranged = vec![[0.0_f32; 2]; by.len()];
        for_each_chunk(&mut arranged, CHUNK, |chunk, arranged| {
            let start = chunk * CHUNK;
            for ((out, by), moved) in arranged.iter_mut().zip(&by[start..]).zip(&moved[start..]) {
                *out = if by[0] > by[1] { [moved[1], moved[0]] } else { *moved };
            }
        });
        float_tensor(arranged.into_flattened(), shape)
    }
}

impl<B: GroupSortKernels, C: CheckpointStrategy> GroupSortOp for Autodiff<B, C> {
    fn sort_pairs(pairs: FloatTensor<Self>) -> FloatTensor<Self> {
        match GroupSortBackward.prepare::<C>([pairs.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = prep.checkpoint(&pairs);
                let pairs = pairs.into_primitive();
                prep.finish(state, B::arrange(pairs.clone(), pairs))
            }
            OpsKind::UnTracked(prep) => {
                let pairs = pairs.into_primitive();
                prep.finish(B::arrange(pairs.clone(), pairs))
            }
        }
    }
}

#[derive(Debug)]
struct GroupSortBackward;

impl<B: GroupSortKernels> Backward<B, 1> for GroupSortBackward {
    type State = NodeId;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let pairs: FloatTensor<B> = checkpointer.retrieve_node_output(ops.state);
        if let Some(node) = node {
            grads.register::<B>(node.id, B::arrange(pairs, grad));
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::golden::fill::fill;
    use crate::traffic::upload;

    #[test]
    fn the_kernel_is_the_definition_in_value_and_gradient() {
        let device = Device::flex().autodiff();
        let len = 3 * 40_000;
        let input = upload(fill(1, len, -1.0, 1.0), [len / 4, 4], &device).require_grad();
        let probe = upload(fill(2, len, -1.0, 1.0), [len / 4, 4], &device);
        let [found, expected] = [group_sort::<2>, composed::<2>].map(|sort| {
            let sorted = sort(input.clone());
            let grads = (sorted.clone() * probe.clone()).sum().backward();
            let read = |tensor: Tensor<2>| tensor.into_data().try_to_vec::<f32>().expect("f32");
            [read(sorted.inner()), read(input.grad(&grads).expect("tracked"))]
        });
        assert!(found == expected);
    }
}
