//! Smooth-L1 distance of rows: `sum_d h(a_d - b_d)` with `h(e) = e^2 / 2` where `|e| < 1`, else
//! `|e| - 1/2`. Its derivative is `e`, kept within [-1, 1].
//!
//! As separate tensor operations it is seven passes forward and ten backward over both rows.
//! [`composed`] is the definition.

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

use crate::loss::smooth_l1;
use crate::ops::cpu::{self, float_tensor, values};

/// The distance `[B]` of each row of `a` from that of `b`, both `[B, D]`.
#[must_use]
pub fn smooth_l1_distance(a: Tensor<2>, b: Tensor<2>) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as DistanceOp>::row_distance(
        a.into_dispatch(),
        b.into_dispatch(),
    ))
}

/// [`smooth_l1_distance`] as plain tensor operations.
#[must_use]
pub fn composed(a: Tensor<2>, b: Tensor<2>) -> Tensor<1> {
    smooth_l1(a - b).sum_dim(1).squeeze_dim(1)
}

/// Dispatches [`smooth_l1_distance`] to the backend that holds the tensors.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
trait DistanceOp: Backend {
    /// See [`smooth_l1_distance`].
    fn row_distance(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// Gradients on one backend.
trait DistanceKernels: DistanceOp {
    /// Gradients `[B, D]` of `a` and `b` from the gradient `[B]` of the distance.
    fn distance_grads(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl DistanceOp for Flex {
    fn row_distance(a: FlexTensor, b: FlexTensor) -> FlexTensor {
        let [rows, len]: [usize; 2] = a.shape().dims();
        let [a, b] = [a, b].map(cpu::contiguous);
        let (a, b) = (values(&a), values(&b));
        let mut distance = vec![0.0; rows];
        for_each_chunk(&mut distance, 1, |row, distance| {
            let range = row * len..(row + 1) * len;
            distance[0] = sum_of_rows(&a[range.clone()], &b[range]);
        });
        float_tensor(distance, [rows])
    }
}

impl DistanceKernels for Flex {
    fn distance_grads(a: FlexTensor, b: FlexTensor, grad: FlexTensor) -> (FlexTensor, FlexTensor) {
        let [rows, len]: [usize; 2] = a.shape().dims();
        let [a, b, grad] = [a, b, grad].map(cpu::contiguous);
        let (a, b, grad) = (values(&a), values(&b), values(&grad));
        let mut of_a = vec![0.0; rows * len];
        for_each_chunk(&mut of_a, len, |row, of_a| {
            let range = row * len..(row + 1) * len;
            for ((out, a), b) in of_a.iter_mut().zip(&a[range.clone()]).zip(&b[range]) {
                *out = grad[row] * (a - b).clamp(-1.0, 1.0);
            }
        });
        let of_b = of_a.iter().map(|x| -x).collect();
        (float_tensor(of_a, [rows, len]), float_tensor(of_b, [rows, len]))
    }
}

/// The distance of two rows, as sixteen independent sums.
fn sum_of_rows(a: &[f32], b: &[f32]) -> f32 {
    let distance = |a: f32, b: f32| {
        let size = (a - b).abs();
        let inside = size.min(1.0);
        (size - inside * 0.5) * inside
    };
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [0.0_f32; 16];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for i in 0..16 {
            sums[i] += distance(a[i], b[i]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| distance(*a, *b)).sum();
    sums.iter().sum::<f32>() + rest
}

impl<B: DistanceKernels, C: CheckpointStrategy> DistanceOp for Autodiff<B, C> {
    fn row_distance(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let prepared = DistanceBackward.prepare::<C>([a.node(), b.node()]);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = (prep.checkpoint(&a), prep.checkpoint(&b));
                prep.finish(state, B::row_distance(a.into_primitive(), b.into_primitive()))
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::row_distance(a.into_primitive(), b.into_primitive()))
            }
        }
    }
}

#[derive(Debug)]
struct DistanceBackward;

impl<B: DistanceKernels> Backward<B, 2> for DistanceBackward {
    type State = (NodeId, NodeId);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [a_node, b_node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (a, b) = ops.state;
        let a: FloatTensor<B> = checkpointer.retrieve_node_output(a);
        let b: FloatTensor<B> = checkpointer.retrieve_node_output(b);
        let (of_a, of_b) = B::distance_grads(a, b, grad);
        for (node, grad) in [(a_node, of_a), (b_node, of_b)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
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
        for shape in [[7, 100], [5, 1]] {
            let device = Device::flex().autodiff();
            let leaf = |seed| {
                let values = fill(seed, shape[0] * shape[1], -2.0, 2.0);
                upload(values, shape, &device).require_grad()
            };
            let (a, b) = (leaf(1), leaf(2));
            let probe = upload(fill(3, shape[0], -1.0, 1.0), [shape[0]], &device);
            let [found, expected] = [smooth_l1_distance, composed].map(|distance| {
                let distance = distance(a.clone(), b.clone());
                let grads = (distance.clone() * probe.clone()).sum().backward();
                let read = |x: Tensor<1>| x.into_data().try_to_vec::<f32>().expect("f32");
                let grad = |x: &Tensor<2>| read(x.grad(&grads).expect("tracked").flatten(0, 1));
                [read(distance.inner()), grad(&a), grad(&b)].concat()
            });
            assert_eq!(found.len(), expected.len());
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{a} {b}");
            }
        }
    }
}
