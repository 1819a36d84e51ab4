//! One reparameterised sample of a bounded soft mixture, fused for the CPU.
//!
//! As separate tensor operations the sample takes a dozen passes over eight million numbers per
//! update, most of it spent waiting for memory. The fused kernel takes one pass forward and one
//! backward. GPUs run the plain operations of [`composed`], which are also the definition that
//! tests compare the CPU kernel with.

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
use burn::tensor::{Tensor, activation::softplus};
use deepspi_worlds::parallel::for_each_chunk;

use super::cpu::{contiguous, float_tensor, on_cpu, values};

/// Added to every scale, so that no distribution has zero width.
pub const MIN_SCALE: f32 = 1e-6;

/// `z_d = sum_k w_k (loc_kd + eps_kd scale_kd)`, `[B, M, D]`.
///
/// `raw` `[B, M, 2, K, D]` holds twice the location and the input of the scale's softplus: both are
/// halved, so that |eps| <= 1 keeps the Lipschitz bound of the network; `weights` `[B, K]`; `noise`
/// `[B, M, K, D]`, a constant.
#[must_use]
pub fn soft_mixture_sample(raw: Tensor<5>, weights: Tensor<2>, noise: Tensor<4>) -> Tensor<3> {
    if !on_cpu(&raw.device()) {
        return composed(raw, weights, noise);
    }
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

/// Dispatches [`soft_mixture_sample`] to the CPU kernel.
#[backend_extension(Flex, Autodiff)]
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

impl MixtureOp for Flex {
    fn soft_mixture(raw: FlexTensor, weights: FlexTensor, noise: FlexTensor) -> FlexTensor {
        Self::sample(raw, weights, noise)
    }
}

impl MixtureKernels for Flex {
    fn sample(raw: FlexTensor, weights: FlexTensor, noise: FlexTensor) -> FlexTensor {
        let s = Sizes::of(&raw);
        let [raw, weights, noise] = [raw, weights, noise].map(contiguous);
        let (raw, weights, noise) = (values(&raw), values(&weights), values(&noise));
        let mut output = vec![0.0; s.batch * s.rows * s.latents];
        for_each_chunk(&mut output, s.rows * s.latents, |b, output| {
            let weights = &weights[b * s.components..][..s.components];
            for (m, output) in output.chunks_mut(s.latents).enumerate() {
                let (location, scale, noise) = s.row(raw, noise, b, m);
                for (k, weight) in weights.iter().enumerate() {
                    for (d, sum) in output.iter_mut().enumerate() {
                        let i = k * s.latents + d;
                        *sum += weight
                            * 0.5
                            * (location[i] + noise[i] * (soft_plus(scale[i]) + MIN_SCALE));
                    }
                }
            }
        });
        float_tensor(output, [s.batch, s.rows, s.latents])
    }

    fn sample_grads(
        raw: FlexTensor,
        weights: FlexTensor,
        noise: FlexTensor,
        grad: FlexTensor,
    ) -> (FlexTensor, FlexTensor) {
        let s = Sizes::of(&raw);
        let [raw, weights, noise, grad] = [raw, weights, noise, grad].map(contiguous);
        let (raw, weights, noise, grad) =
            (values(&raw), values(&weights), values(&noise), values(&grad));
        let kd = s.components * s.latents;
        // One buffer per sample: the gradient of its raw outputs, then the gradient of its weights.
        let raw_len = s.rows * 2 * kd;
        let mut grads = vec![0.0; s.batch * (raw_len + s.components)];
        for_each_chunk(&mut grads, raw_len + s.components, |b, grads| {
            let (raw_grad, weight_grad) = grads.split_at_mut(raw_len);
            let weights = &weights[b * s.components..][..s.components];
            for (m, raw_grad) in raw_grad.chunks_mut(2 * kd).enumerate() {
                let (location, scale, noise) = s.row(raw, noise, b, m);
                let grad = &grad[(b * s.rows + m) * s.latents..][..s.latents];
                let (location_grad, scale_grad) = raw_grad.split_at_mut(kd);
                for k in 0..s.components {
                    let mut along_weight = 0.0;
                    for (d, grad) in grad.iter().enumerate() {
                        let i = k * s.latents + d;
                        // softplus and its derivative share one exponential.
                        let exp = (-scale[i].abs()).exp();
                        let soft_plus = scale[i].max(0.0) + exp.ln_1p();
                        let sigmoid = if scale[i] >= 0.0 { 1.0 } else { exp } / (1.0 + exp);
                        let outer = 0.5 * weights[k] * grad;
                        location_grad[i] = outer;
                        scale_grad[i] = outer * noise[i] * sigmoid;
                        along_weight +=
                            grad * 0.5 * (location[i] + noise[i] * (soft_plus + MIN_SCALE));
                    }
                    weight_grad[k] += along_weight;
                }
            }
        });
        let (mut raw_grads, mut weight_grads) = (Vec::with_capacity(s.batch * raw_len), Vec::new());
        for sample in grads.chunks(raw_len + s.components) {
            raw_grads.extend_from_slice(&sample[..raw_len]);
            weight_grads.extend_from_slice(&sample[raw_len..]);
        }
        (
            float_tensor(raw_grads, [s.batch, s.rows, 2, s.components, s.latents]),
            float_tensor(weight_grads, [s.batch, s.components]),
        )
    }
}

fn soft_plus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Sizes of `raw`.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    rows: usize,
    components: usize,
    latents: usize,
}

impl Sizes {
    fn of(raw: &FlexTensor) -> Self {
        let [batch, rows, _, components, latents] = raw.shape().dims();
        Self { batch, rows, components, latents }
    }

    /// Location, scale input and noise of one row, each `[K, D]`.
    fn row<'a>(
        &self,
        raw: &'a [f32],
        noise: &'a [f32],
        b: usize,
        m: usize,
    ) -> (&'a [f32], &'a [f32], &'a [f32]) {
        let kd = self.components * self.latents;
        let row = b * self.rows + m;
        let (location, scale) = raw[row * 2 * kd..][..2 * kd].split_at(kd);
        (location, scale, &noise[row * kd..][..kd])
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
