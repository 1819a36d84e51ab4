//! One reparameterised sample of a bounded soft mixture, as one operation.
//!
//! As separate tensor operations the sample takes a dozen passes over eight million numbers per
//! update, most of it spent waiting for memory. The kernels take one pass forward and one backward.
//! [`composed`] is the definition.

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
use burn::tensor::{Device, Shape, Tensor, activation::softplus};

use super::noise::CounterNoise;

/// Added to every scale, so that no distribution has zero width.
pub const MIN_SCALE: f32 = 1e-6;

/// The noise of a sample, a constant.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each minibatch")]
pub enum SampleNoise {
    /// Numbers `[B, M, K, D]`.
    Given(Tensor<4>),
    /// Noise that the kernels compute.
    Counter(CounterNoise),
}

impl SampleNoise {
    /// The noise as numbers, for shape `[B, M, K, D]`.
    #[must_use]
    pub fn values(self, shape: [usize; 4], device: &Device) -> Tensor<4> {
        match self {
            Self::Given(values) => values,
            Self::Counter(noise) => noise.values(shape, device),
        }
    }
}

/// `z_d = sum_k w_k (loc_kd + eps_kd scale_kd)`, `[B, M, D]`.
///
/// `raw` `[B, M, 2, K, D]` holds twice the location and the input of the scale's softplus: both are
/// halved, so that |eps| <= 1 keeps the Lipschitz bound of the network; `weights` `[B, K]`.
#[must_use]
pub fn soft_mixture_sample(raw: Tensor<5>, weights: Tensor<2>, noise: SampleNoise) -> Tensor<3> {
    let (noise, source) = match noise {
        SampleNoise::Given(values) => (values.into_dispatch(), Source::Given),
        // The kernels read no noise then; any tensor stands in its place.
        SampleNoise::Counter(noise) => {
            (weights.clone().detach().into_dispatch(), Source::Counter(noise))
        }
    };
    Tensor::from_dispatch(<Dispatch as MixtureOp>::soft_mixture(
        raw.into_dispatch(),
        weights.into_dispatch(),
        noise,
        source,
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
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
pub trait MixtureOp: Backend {
    /// See [`soft_mixture_sample`]; `noise` is only read if it is the source.
    fn soft_mixture(
        raw: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        source: Source,
    ) -> FloatTensor<Self>;
}

/// Value and gradient on one backend.
pub trait MixtureKernels: Backend {
    /// The sample.
    fn sample(
        raw: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        source: Source,
    ) -> FloatTensor<Self>;

    /// Gradients of `raw` and `weights` from the gradient of the sample.
    fn sample_grads(
        raw: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        source: Source,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

macro_rules! route {
    ($backend:ty) => {
        impl MixtureOp for $backend {
            fn soft_mixture(
                raw: FloatTensor<Self>,
                weights: FloatTensor<Self>,
                noise: FloatTensor<Self>,
                source: Source,
            ) -> FloatTensor<Self> {
                Self::sample(raw, weights, noise, source)
            }
        }
    };
}
route!(Flex);
#[cfg(feature = "gpu")]
route!(burn::backend::Cube);

/// Where kernels find the noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the tensor that they are given.
    Given,
    /// They compute it.
    Counter(CounterNoise),
}

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
        source: Source,
    ) -> FloatTensor<Self> {
        let value =
            |raw: FloatTensor<Self>, weights: FloatTensor<Self>, noise: B::FloatTensorPrimitive| {
                B::sample(raw.into_primitive(), weights.into_primitive(), noise, source)
            };
        let prepared = MixtureBackward.prepare::<C>([raw.node(), weights.node()]);
        let noise = noise.into_primitive();
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let nodes = (prep.checkpoint(&raw), prep.checkpoint(&weights));
                let state = (nodes.0, nodes.1, noise.clone(), source);
                prep.finish(state, value(raw, weights, noise))
            }
            OpsKind::UnTracked(prep) => prep.finish(value(raw, weights, noise)),
        }
    }
}

#[derive(Debug)]
struct MixtureBackward;

impl<B: MixtureKernels> Backward<B, 2> for MixtureBackward {
    type State = (NodeId, NodeId, FloatTensor<B>, Source);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [raw_node, weights_node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (raw, weights, noise, source) = ops.state;
        let raw: FloatTensor<B> = checkpointer.retrieve_node_output(raw);
        let weights: FloatTensor<B> = checkpointer.retrieve_node_output(weights);
        let (raw_grad, weights_grad) = B::sample_grads(raw, weights, noise, grad, source);
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
    use crate::ops::noise::Bound;

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
        let counter = CounterNoise { key: [3, 4], bound: Bound::Clipped, common: false };
        let computed = counter.values([b, m, k, d], &device);
        let runs: [&dyn Fn() -> Tensor<3>; 4] = [
            &|| {
                soft_mixture_sample(raw.clone(), weights.clone(), SampleNoise::Given(noise.clone()))
            },
            &|| composed(raw.clone(), weights.clone(), noise.clone()),
            &|| soft_mixture_sample(raw.clone(), weights.clone(), SampleNoise::Counter(counter)),
            &|| composed(raw.clone(), weights.clone(), computed.clone()),
        ];
        let results = runs.map(|sample| {
            let output = sample();
            let grads = (output.clone() * probe.clone()).sum().backward();
            let read = |t: Tensor<1>| t.into_data().try_to_vec::<f32>().expect("f32");
            [
                read(output.inner().flatten(0, 2)),
                read(raw.grad(&grads).expect("tracked").flatten(0, 4)),
                read(weights.grad(&grads).expect("tracked").flatten(0, 1)),
            ]
        });
        assert_ne!(results[0], results[2], "the noise matters");
        for [fused, composed] in results.as_chunks::<2>().0 {
            for (a, b) in fused.iter().flatten().zip(composed.iter().flatten()) {
                assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{a} {b}");
            }
        }
    }
}
