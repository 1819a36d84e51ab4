//! Outputs of the chosen action, and their softmax.
//!
//! A network with outputs for every action is asked for those of one. As a product with the one-hot
//! action and a sum it is three kernels forward and four backward, and the softmax ten more.
//! [`composed`] is the definition.

#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::autodiff::{
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::flex::FlexTensor;
use burn::backend::{
    Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension, tensor::FloatTensor,
};
use burn::tensor::{Tensor, activation::softmax as burn_softmax};

#[cfg(feature = "gpu")]
pub(super) use self::gpu::action_of;
use crate::ops::cpu::{self, float_tensor, values as read};

/// For each sample the numbers of its action, `[B, N]`, from numbers of all actions `[B, N, A]` and
/// one-hot actions `[B, A]`; with `softmax` their softmax over N.
#[must_use]
pub fn chosen(all: Tensor<3>, actions: Tensor<2>, softmax: bool) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as ChoiceOp>::choose(
        all.into_dispatch(),
        actions.into_dispatch(),
        softmax,
    ))
}

/// [`chosen`] as plain tensor operations.
#[must_use]
pub fn composed(all: Tensor<3>, actions: Tensor<2>, softmax: bool) -> Tensor<2> {
    let chosen = (all * actions.unsqueeze_dim::<3>(1)).sum_dim(2).squeeze_dim(2);
    if softmax { burn_softmax(chosen, 1) } else { chosen }
}

/// Dispatches [`chosen`] to the backend that holds the tensors.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
trait ChoiceOp: Backend {
    /// See [`chosen`].
    fn choose(
        all: FloatTensor<Self>,
        actions: FloatTensor<Self>,
        softmax: bool,
    ) -> FloatTensor<Self>;
}

/// Gradient on one backend.
trait ChoiceKernels: ChoiceOp {
    /// Gradient `[B, N, A]` from the result and its gradient, both `[B, N]`.
    fn choose_grad(
        result: FloatTensor<Self>,
        actions: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        softmax: bool,
    ) -> FloatTensor<Self>;
}

impl ChoiceOp for Flex {
    fn choose(all: FlexTensor, actions: FlexTensor, softmax: bool) -> FlexTensor {
        let [batch, len, choices]: [usize; 3] = all.shape().dims();
        let [all, actions] = [all, actions].map(cpu::contiguous);
        let (all, actions) = (read(&all), read(&actions));
        let mut result = Vec::with_capacity(batch * len);
        for (rows, action) in all.chunks(len * choices).zip(actions.chunks(choices)) {
            let action = index(action);
            let start = result.len();
            result.extend(rows.chunks(choices).map(|row| row[action]));
            if softmax {
                let row = &mut result[start..];
                let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                row.iter_mut().for_each(|x| *x = (*x - largest).exp());
                let sum: f32 = row.iter().sum();
                row.iter_mut().for_each(|x| *x /= sum);
            }
        }
        float_tensor(result, [batch, len])
    }
}

impl ChoiceKernels for Flex {
    fn choose_grad(
        result: FlexTensor,
        actions: FlexTensor,
        grad: FlexTensor,
        softmax: bool,
    ) -> FlexTensor {
        let [batch, len]: [usize; 2] = result.shape().dims();
        let [_, choices]: [usize; 2] = actions.shape().dims();
        let [result, actions, grad] = [result, actions, grad].map(cpu::contiguous);
        let (result, actions, grad) = (read(&result), read(&actions), read(&grad));
        let mut of_all = vec![0.0; batch * len * choices];
        for b in 0..batch {
            let action = index(&actions[b * choices..][..choices]);
            let (result, grad) = (&result[b * len..][..len], &grad[b * len..][..len]);
            let along: f32 = result.iter().zip(grad).map(|(y, g)| y * g).sum();
            for (n, (y, g)) in result.iter().zip(grad).enumerate() {
                of_all[(b * len + n) * choices + action] =
                    if softmax { y * (g - along) } else { *g };
            }
        }
        float_tensor(of_all, [batch, len, choices])
    }
}

/// The index of the 1 in a one-hot vector.
fn index(one_hot: &[f32]) -> usize {
    one_hot.iter().position(|x| *x > 0.5).unwrap_or(0)
}

impl<B: ChoiceKernels, C: CheckpointStrategy> ChoiceOp for Autodiff<B, C> {
    fn choose(
        all: FloatTensor<Self>,
        actions: FloatTensor<Self>,
        softmax: bool,
    ) -> FloatTensor<Self> {
        let prepared = ChoiceBackward.prepare::<C>([all.node()]).compute_bound().stateful();
        let actions = actions.into_primitive();
        let result = B::choose(all.into_primitive(), actions.clone(), softmax);
        match prepared {
            OpsKind::Tracked(prep) => prep.finish((result.clone(), actions, softmax), result),
            OpsKind::UnTracked(prep) => prep.finish(result),
        }
    }
}

#[derive(Debug)]
struct ChoiceBackward;

impl<B: ChoiceKernels> Backward<B, 1> for ChoiceBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, bool);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (result, actions, softmax) = ops.state;
        if let Some(node) = node {
            grads.register::<B>(node.id, B::choose_grad(result, actions, grad, softmax));
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::golden::fill;
    use crate::traffic::upload;

    #[test]
    fn the_kernel_is_the_definition_in_value_and_gradient() {
        let [batch, len, choices] = [9, 5, 4];
        let device = Device::flex().autodiff();
        let values = fill::fill(1, batch * len * choices, -2.0, 2.0);
        let all = upload(values, [batch, len, choices], &device).require_grad();
        let actions = fill::actions(choices, 0, batch, &device);
        let probe = upload(fill::fill(2, batch * len, -1.0, 1.0), [batch, len], &device);
        for softmax in [false, true] {
            let [found, expected] = [chosen, composed].map(|choose| {
                let result = choose(all.clone(), actions.clone(), softmax);
                let grads = (result.clone() * probe.clone()).sum().backward();
                let read = |x: Tensor<1>| x.into_data().try_to_vec::<f32>().expect("f32");
                let grad = read(all.grad(&grads).expect("tracked").flatten(0, 2));
                [read(result.inner().flatten(0, 1)), grad].concat()
            });
            assert_eq!(found.len(), expected.len());
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-6, "softmax {softmax}: {a} {b}");
            }
        }
    }
}
