//! One reparameterised sample of a bounded soft mixture, as one operation.
//!
//! As separate tensor operations the sample takes a dozen passes over eight million numbers per
//! update, most of it spent waiting for memory. The kernels take one pass forward and one backward.
//! [`composed`] is the definition.

mod cpu;
mod gpu;

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::{
    Autodiff, Backend, Cube, Dispatch, Flex, backend_extension, tensor::FloatTensor,
};
use burn::tensor::{Shape, Tensor, activation::softplus};

/// Added to every scale, so that no distribution has zero width.
pub const MIN_SCALE: f32 = 1e-6;

/// `z_d = sum_k w_k (loc_kd + eps_kd scale_kd)`, `[B, M, D]`.
///
/// `raw` `[B, M, 2, K, D]` holds twice the location and the input of the scale's softplus: both are
/// halved, so that |eps| <= 1 keeps the Lipschitz bound of the network; `weights` `[B, K]`; `noise`
/// `[B, M, K, D]`, a constant.
#[must_use]
pub fn soft_mixture_sample(raw: Tensor<5>, weights: Tensor<2>, noise: Tensor<4>) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as MixtureOp>::soft_mixture(
        raw.into_dispatch(),
        weights.into_dispatch(),
        noise.into_dispatch(),
    ))
}

/// [`soft_mixture_sample`] as plain tensor operations.
#[must_use]
pub fn composed(raw: Tensor<5>, weights: Tensor<2>, noise: Tensor<4>) -> Tensor<3> {
    let [batch, components] = weights.dims();
    let (location, scale) = location_and_scale(raw);
    let samples = location + scale * noise;
    (samples * weights.reshape([batch, 1, components, 1])).sum_dim(2).squeeze_dim(2)
}

/// Locations and scales `[B, M, K, D]` that `raw` `[B, M, 2, K, D]` encodes.
#[must_use]
pub fn location_and_scale(raw: Tensor<5>) -> (Tensor<4>, Tensor<4>) {
    let location: Tensor<4> = raw.clone().narrow(2, 0, 1).squeeze_dim(2);
    let scale: Tensor<4> = raw.narrow(2, 1, 1).squeeze_dim(2);
    (location * 0.5, (softplus(scale, 1.0) + MIN_SCALE) * 0.5)
}

/// Dispatches [`soft_mixture_sample`] to the backend that holds the tensors.
#[backend_extension(Flex, Cube, Autodiff)]
pub trait MixtureOp: Backend {
    /// See [`soft_mixture_sample`].
    fn soft_mixture(
        raw: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        noise: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// Value and gradient on one backend.
pub trait MixtureKernels: Backend {
    /// The sample.
    fn sample(
        raw: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        noise: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Gradients of `raw` and `weights` from the gradient of the sample.
    fn sample_grads(
        raw: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

macro_rules! route {
    ($($backend:ty),+) => {$(
        impl MixtureOp for $backend {
            fn soft_mixture(
                raw: FloatTensor<Self>,
                weights: FloatTensor<Self>,
                noise: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                Self::sample(raw, weights, noise)
            }
        }
    )+};
}
route!(Flex, Cube);

/// Sizes of `raw`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sizes {
    batch: usize,
    rows: usize,
    components: usize,
    latents: usize,
}

impl Sizes {
    fn of(raw: &Shape) -> Self {
        let [batch, rows, _, components, latents] = raw.dims();
        Self { batch, rows, components, latents }
    }
}

impl<B: MixtureKernels, C: CheckpointStrategy> MixtureOp for Autodiff<B, C> {
    fn soft_mixture(
        raw: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        noise: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let value =
            |raw: FloatTensor<Self>, weights: FloatTensor<Self>, noise: B::FloatTensorPrimitive| {
                B::sample(raw.into_primitive(), weights.into_primitive(), noise)
            };
        let prepared = MixtureBackward.prepare::<C>([raw.node(), weights.node()]);
        let noise = noise.into_primitive();
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = (prep.checkpoint(&raw), prep.checkpoint(&weights), noise.clone());
                prep.finish(state, value(raw, weights, noise))
            }
            OpsKind::UnTracked(prep) => prep.finish(value(raw, weights, noise)),
        }
    }
}

#[derive(Debug)]
struct MixtureBackward;

impl<B: MixtureKernels> Backward<B, 2> for MixtureBackward {
    type State = (NodeId, NodeId, FloatTensor<B>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [raw_node, weights_node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (raw, weights, noise) = ops.state;
        let raw: FloatTensor<B> = checkpointer.retrieve_node_output(raw);
        let weights: FloatTensor<B> = checkpointer.retrieve_node_output(weights);
        let (raw_grad, weights_grad) = B::sample_grads(raw, weights, noise, grad);
        if let Some(node) = raw_node {
            grads.register::<B>(node.id, raw_grad);
        }
        if let Some(node) = weights_node {
            grads.register::<B>(node.id, weights_grad);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::golden::fill::fill;

    #[test]
    fn fused_and_composed_agree_in_value_and_gradients() {
        let device = Device::flex().autodiff();
        let (b, m, k, d) = (3, 7, 5, 4);
        let tensor = |seed, len| TensorData::new(fill(seed, len, -3.0, 3.0), [len]);
        let flat = |seed, len| Tensor::<1>::from_data(tensor(seed, len), &device);
        let raw = flat(1, b * m * 2 * k * d).reshape([b, m, 2, k, d]).detach().require_grad();
        let weights = flat(2, b * k).reshape([b, k]).detach().require_grad();
        let noise = flat(3, b * m * k * d).reshape([b, m, k, d]);
        let probe = flat(4, b * m * d).reshape([b, m, d]);
        let results = [soft_mixture_sample, composed].map(|sample| {
            let output = sample(raw.clone(), weights.clone(), noise.clone());
            let grads = (output.clone() * probe.clone()).sum().backward();
            let read = |t: Tensor<1>| t.into_data().try_to_vec::<f32>().expect("f32");
            [
                read(output.inner().flatten(0, 2)),
                read(raw.grad(&grads).expect("tracked").flatten(0, 4)),
                read(weights.grad(&grads).expect("tracked").flatten(0, 1)),
            ]
        });
        for (fused, composed) in results[0].iter().zip(&results[1]) {
            for (a, b) in fused.iter().zip(composed) {
                assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{a} {b}");
            }
        }
    }
}
