//! The latents that a transition network must predict, in its own order of dimensions.
//!
//! From the latents of B observations and, behind them, of the B next ones, the target of sample b is
//! `z' + (z - z') done`: after the end of an episode the environment returns one fake transition, whose
//! target is the state itself. The result is aligned: see `world_model::latent`. As separate tensor
//! operations it is four kernels forward and seven backward over all latents. [`composed`] is the
//! definition.

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
#[cfg(feature = "gpu")]
use burn::cubecl::{self, prelude::*};
use burn::tensor::{Shape, Tensor};
use deepspi_worlds::parallel::for_each_chunk;

use crate::ops::cpu::{self, float_tensor, values};

/// Targets `[B, G h w, c / G]` from latents `[2B, h, w, c]` and done flags `[B]`, with G groups of
/// channels.
#[must_use]
pub fn transition_target(latents: Tensor<4>, dones: Tensor<1>, groups: usize) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as TargetOp>::target(
        latents.into_dispatch(),
        dones.into_dispatch(),
        groups,
    ))
}

/// [`transition_target`] as plain tensor operations.
#[must_use]
pub fn composed(latents: Tensor<4>, dones: Tensor<1>, groups: usize) -> Tensor<3> {
    let [both, height, width, channels] = latents.dims();
    let batch = both / 2;
    let (now, next) = (latents.clone().narrow(0, 0, batch), latents.narrow(0, batch, batch));
    let target = next.clone() + (now - next) * dones.reshape([-1, 1, 1, 1]);
    let (positions, per_group) = (height * width, channels / groups);
    target.reshape([batch, positions, groups, per_group]).permute([0, 2, 1, 3]).reshape([
        batch,
        groups * positions,
        per_group,
    ])
}

/// Dispatches [`transition_target`] to the backend that holds the tensors.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
trait TargetOp: Backend {
    /// See [`transition_target`].
    fn target(
        latents: FloatTensor<Self>,
        dones: FloatTensor<Self>,
        groups: usize,
    ) -> FloatTensor<Self>;
}

/// Gradient on one backend.
trait TargetKernels: TargetOp {
    /// Gradient `[2B, h, w, c]` of latents of this shape from that of the target.
    fn target_grad(
        dones: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        shape: [usize; 4],
    ) -> FloatTensor<Self>;
}

/// Sizes of one latent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sizes {
    positions: usize,
    channels: usize,
    per_group: usize,
}

impl Sizes {
    fn new(latents: &Shape, groups: usize) -> (usize, Self) {
        let [both, height, width, channels]: [usize; 4] = latents.dims();
        (both / 2, Self { positions: height * width, channels, per_group: channels / groups })
    }

    const fn len(&self) -> usize {
        self.positions * self.channels
    }
}

impl TargetOp for Flex {
    fn target(latents: FlexTensor, dones: FlexTensor, groups: usize) -> FlexTensor {
        let (batch, s) = Sizes::new(&latents.shape(), groups);
        let [latents, dones] = [latents, dones].map(cpu::contiguous);
        let (latents, dones) = (values(&latents), values(&dones));
        let mut target = vec![0.0; batch * s.len()];
        for_each_chunk(&mut target, s.len(), |b, target| {
            let now = &latents[b * s.len()..][..s.len()];
            let next = &latents[(batch + b) * s.len()..][..s.len()];
            for (i, target) in target.iter_mut().enumerate() {
                let at = natural(i, s.positions, s.channels, s.per_group);
                *target = next[at] + (now[at] - next[at]) * dones[b];
            }
        });
        float_tensor(target, [batch, groups * s.positions, s.per_group])
    }
}

impl TargetKernels for Flex {
    fn target_grad(dones: FlexTensor, grad: FlexTensor, shape: [usize; 4]) -> FlexTensor {
        let per_group = grad.shape().dims::<3>()[2];
        let (batch, s) = Sizes::new(&Shape::from(shape), shape[3] / per_group);
        let [dones, grad] = [dones, grad].map(cpu::contiguous);
        let (dones, grad) = (values(&dones), values(&grad));
        let mut latents = vec![0.0; 2 * batch * s.len()];
        for_each_chunk(&mut latents, s.len(), |b, latents| {
            let (sample, is_next) = (b % batch, b >= batch);
            let factor = if is_next { 1.0 - dones[sample] } else { dones[sample] };
            for (i, grad) in grad[sample * s.len()..][..s.len()].iter().enumerate() {
                latents[natural(i, s.positions, s.channels, s.per_group)] = grad * factor;
            }
        });
        float_tensor(latents, shape)
    }
}

/// Place in a natural latent of place `i` in an aligned one, for the host and for kernels; the rest is that of
/// [`Sizes`].
#[cfg_attr(feature = "gpu", cube)]
fn natural(i: usize, positions: usize, channels: usize, per_group: usize) -> usize {
    let (row, dimension) = (i / per_group, i % per_group);
    let (group, position) = (row / positions, row % positions);
    position * channels + group * per_group + dimension
}

impl<B: TargetKernels, C: CheckpointStrategy> TargetOp for Autodiff<B, C> {
    fn target(
        latents: FloatTensor<Self>,
        dones: FloatTensor<Self>,
        groups: usize,
    ) -> FloatTensor<Self> {
        let shape: [usize; 4] = latents.shape().dims();
        let prepared = TargetBackward.prepare::<C>([latents.node()]).compute_bound().stateful();
        let dones = dones.into_primitive();
        let target = B::target(latents.into_primitive(), dones.clone(), groups);
        match prepared {
            OpsKind::Tracked(prep) => prep.finish((dones, shape), target),
            OpsKind::UnTracked(prep) => prep.finish(target),
        }
    }
}

#[derive(Debug)]
struct TargetBackward;

impl<B: TargetKernels> Backward<B, 1> for TargetBackward {
    type State = (FloatTensor<B>, [usize; 4]);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (dones, shape) = ops.state;
        if let Some(node) = node {
            grads.register::<B>(node.id, B::target_grad(dones, grad, shape));
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
        for (shape, groups) in [([6, 2, 3, 8], 4), ([4, 1, 1, 3], 1), ([2, 2, 2, 6], 6)] {
            let device = Device::flex().autodiff();
            let len = shape.iter().product();
            let latents = upload(fill(1, len, -2.0, 2.0), shape, &device).require_grad();
            let dones = (0..shape[0] / 2).map(|b| f32::from(u8::from(b % 2 == 1))).collect();
            let dones = upload(dones, [shape[0] / 2], &device);
            let probe = upload(fill(2, len / 2, -1.0, 1.0), [len / 2], &device);
            let [found, expected] = [transition_target, composed].map(|target| {
                let target = target(latents.clone(), dones.clone(), groups);
                let dims = target.dims();
                let grads = (target.clone().flatten::<1>(0, 2) * probe.clone()).sum().backward();
                let read = |x: Tensor<1>| x.into_data().try_to_vec::<f32>().expect("f32");
                let grad = latents.grad(&grads).expect("tracked").flatten(0, 3);
                (dims, read(target.inner().flatten(0, 2)), read(grad))
            });
            assert_eq!(found, expected);
        }
    }
}
