//! Division of matrices by the authors' estimate of their largest singular value, as one operation
//! with a handwritten gradient.
//!
//! The estimate is a power iteration of two rounds from a fixed vector v0. With
//! `unit(x) = x / sqrt(|x|^2 + 1e-8)` and a matrix M of R rows and C columns:
//!
//! ```text
//! n0 = unit(v0)   u1 = unit(M n0)   v1 = M^T u1
//! n1 = unit(v1)   u2 = unit(M n1)   v2 = M^T u2   sigma = u2 . (M v2) = |v2|^2
//! ```
//!
//! As separate tensor operations this is 700 of the 1,200 kernels of an update on a GPU, nearly all of
//! them on vectors. Here one workgroup computes a whole matrix, forward and again backward.
//! [`composed`] is the definition with tensor operations; the kernels must agree with it, in value and
//! gradient. The gradient passes through all four products, as the authors' does.

mod cpu;
#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

/// Added to a squared norm before its root.
pub(super) const EPSILON: f32 = 1e-8;
/// Numbers of one matrix that the backward pass needs besides the vectors: sigma, then the
/// reciprocal norms of `M n0`, `v1` and `M n1`.
const SCALARS: usize = 4;

/// Where the matrices lie in a kernel `[a, b]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrices {
    /// One matrix, the kernel itself: R = a, C = b. Kernels of dense layers.
    Whole,
    /// This many matrices, each the transpose of a block of columns: R = b / groups, C = a. Kernels of
    /// convolutions whose outputs form groups.
    TransposedColumns(usize),
}

/// Sizes of the matrices in a kernel `[a, b]`, and how to find their elements: element (r, c) of matrix
/// g is `kernel[g * group + r * row + c * column]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sizes {
    groups: usize,
    rows: usize,
    columns: usize,
    group: usize,
    row: usize,
    column: usize,
}

impl Sizes {
    fn of([a, b]: [usize; 2], matrices: Matrices) -> Self {
        match matrices {
            Matrices::Whole => Self { groups: 1, rows: a, columns: b, group: 0, row: b, column: 1 },
            Matrices::TransposedColumns(groups) => {
                let rows = b / groups;
                Self { groups, rows, columns: a, group: rows, row: 1, column: b }
            }
        }
    }

    /// Numbers of one matrix that the forward pass keeps: [`SCALARS`], then n0, n1, v2 (C each), u1, u2
    /// (R each).
    const fn state(&self) -> usize {
        SCALARS + 3 * self.columns + 2 * self.rows
    }
}

/// The kernel `[a, b]` with each of its matrices divided by its sigma; `start` is v0, `[C]`, a constant.
#[must_use]
pub fn divide_by_power_iteration(
    kernel: Tensor<2>,
    start: Tensor<1>,
    matrices: Matrices,
) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as PowerOp>::divide_by_power(
        kernel.into_dispatch(),
        start.into_dispatch(),
        matrices,
    ))
}

/// Dispatches [`divide_by_power_iteration`] to the backend that holds the tensors.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
pub trait PowerOp: Backend {
    /// See [`divide_by_power_iteration`].
    fn divide_by_power(
        kernel: FloatTensor<Self>,
        start: FloatTensor<Self>,
        matrices: Matrices,
    ) -> FloatTensor<Self>;
}

/// Value and gradient on one backend.
pub trait PowerKernels: Backend {
    /// The divided kernel, and the state that the gradient needs: `[groups * state]`, see `Sizes::state`.
    fn divide(
        kernel: FloatTensor<Self>,
        start: FloatTensor<Self>,
        matrices: Matrices,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Gradient of the kernel from the gradient of the divided kernel.
    fn divide_grad(
        kernel: FloatTensor<Self>,
        state: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        matrices: Matrices,
    ) -> FloatTensor<Self>;
}

macro_rules! route {
    ($backend:ty) => {
        impl PowerOp for $backend {
            fn divide_by_power(
                kernel: FloatTensor<Self>,
                start: FloatTensor<Self>,
                matrices: Matrices,
            ) -> FloatTensor<Self> {
                Self::divide(kernel, start, matrices).0
            }
        }
    };
}
route!(Flex);
#[cfg(feature = "gpu")]
route!(burn::backend::Cube);

impl<B: PowerKernels, C: CheckpointStrategy> PowerOp for Autodiff<B, C> {
    fn divide_by_power(
        kernel: FloatTensor<Self>,
        start: FloatTensor<Self>,
        matrices: Matrices,
    ) -> FloatTensor<Self> {
        let prepared = PowerBackward.prepare::<C>([kernel.node()]).compute_bound().stateful();
        let start = start.into_primitive();
        match prepared {
            OpsKind::Tracked(mut prep) => {
                let node = prep.checkpoint(&kernel);
                let (value, state) = B::divide(kernel.into_primitive(), start, matrices);
                prep.finish((node, state, matrices), value)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::divide(kernel.into_primitive(), start, matrices).0)
            }
        }
    }
}

#[derive(Debug)]
struct PowerBackward;

impl<B: PowerKernels> Backward<B, 1> for PowerBackward {
    type State = (NodeId, FloatTensor<B>, Matrices);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (kernel, state, matrices) = ops.state;
        let kernel: FloatTensor<B> = checkpointer.retrieve_node_output(kernel);
        if let Some(node) = node {
            grads.register::<B>(node.id, B::divide_grad(kernel, state, grad, matrices));
        }
    }
}

/// The sizes of a kernel's matrices.
fn sizes(shape: &burn::tensor::Shape, matrices: Matrices) -> Sizes {
    Sizes::of(shape.dims(), matrices)
}

/// [`divide_by_power_iteration`] as plain tensor operations.
#[must_use]
pub fn composed(kernel: Tensor<2>, start: Tensor<1>, matrices: Matrices) -> Tensor<2> {
    let [a, b] = kernel.dims();
    let s = Sizes::of([a, b], matrices);
    let unit = |x: Tensor<3>| {
        let norm = ((x.clone() * x.clone()).sum_dim(1) + EPSILON).sqrt();
        x / norm
    };
    let stacked: Tensor<3> = match matrices {
        Matrices::Whole => kernel.clone().unsqueeze(),
        Matrices::TransposedColumns(_) => {
            kernel.clone().swap_dims(0, 1).reshape([s.groups, s.rows, s.columns])
        }
    };
    let transposed = stacked.clone().swap_dims(1, 2);
    let start: Tensor<3> = start.reshape([1, s.columns, 1]).expand([s.groups, s.columns, 1]);
    let first = unit(stacked.clone().matmul(unit(start)));
    let second = transposed.clone().matmul(first);
    let u = unit(stacked.clone().matmul(unit(second)));
    let v = transposed.matmul(u.clone());
    let sigma = (u * stacked.matmul(v)).sum_dim(1);
    // Division by a single number would make its gradient one sum over the whole kernel, a very long
    // loop in one GPU thread; repeated along the columns there are two shorter sums.
    let sigma = match matrices {
        Matrices::Whole => sigma.reshape([1, 1]).expand([1, b]),
        Matrices::TransposedColumns(groups) => {
            sigma.reshape([groups, 1]).expand([groups, b / groups]).reshape([1, b])
        }
    };
    kernel / sigma
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::golden::fill::fill;
    use crate::traffic::upload;

    /// Kernels `[a, b]` with a fixed weighting of the results, and the divided kernel with its gradient.
    fn value_and_gradient(
        divide: fn(Tensor<2>, Tensor<1>, Matrices) -> Tensor<2>,
        [a, b]: [usize; 2],
        matrices: Matrices,
        kernel: &[f32],
    ) -> [Vec<f32>; 2] {
        let device = Device::flex().autodiff();
        let kernel = upload(kernel.to_vec(), [a, b], &device).require_grad();
        let columns = Sizes::of([a, b], matrices).columns;
        let start = upload(fill(2, columns, -1.0, 1.0), [columns], &device);
        let probe = upload(fill(3, a * b, -1.0, 1.0), [a, b], &device);
        let divided = divide(kernel.clone(), start, matrices);
        let grads = (divided.clone() * probe).sum().backward();
        let read = |tensor: Tensor<2>| tensor.into_data().try_to_vec::<f32>().expect("f32");
        [read(divided.inner()), read(kernel.grad(&grads).expect("tracked"))]
    }

    const CASES: [([usize; 2], Matrices); 5] = [
        ([9, 5], Matrices::Whole),
        ([5, 9], Matrices::Whole),
        ([70, 33], Matrices::Whole),
        ([12, 7], Matrices::TransposedColumns(1)),
        ([8, 30], Matrices::TransposedColumns(3)),
    ];

    #[test]
    fn the_kernel_is_the_definition_in_value_and_gradient() {
        for (shape, matrices) in CASES {
            let kernel = fill(1, shape[0] * shape[1], -0.5, 0.5);
            let found = value_and_gradient(divide_by_power_iteration, shape, matrices, &kernel);
            let expected = value_and_gradient(composed, shape, matrices, &kernel);
            for (found, expected) in found.iter().zip(&expected) {
                let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
                for (a, b) in found.iter().zip(expected) {
                    assert!((a - b).abs() < 1e-5 * largest, "{shape:?} {matrices:?}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let (shape, matrices) = ([6, 4], Matrices::TransposedColumns(2));
        let kernel = fill(1, 24, -0.5, 0.5);
        let probe = fill(3, 24, -1.0, 1.0);
        let loss = |kernel: &[f32]| {
            let [divided, _] =
                value_and_gradient(divide_by_power_iteration, shape, matrices, kernel);
            divided.iter().zip(&probe).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
        };
        let [_, gradient] = value_and_gradient(divide_by_power_iteration, shape, matrices, &kernel);
        for (i, found) in gradient.iter().enumerate() {
            let at = |step: f32| {
                let mut moved = kernel.clone();
                moved[i] += step;
                loss(&moved)
            };
            let expected = (at(1e-3) - at(-1e-3)) / 2e-3;
            assert!((f64::from(*found) - expected).abs() < 2e-2, "{i}: {found} {expected}");
        }
    }
}
