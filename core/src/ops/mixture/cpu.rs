//! The sample of the mixture on plain slices.

use std::borrow::Cow;

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use deepspi_worlds::parallel::for_each_chunk;

use super::{MIN_SCALE, MixtureKernels, Sizes, Source};
use crate::ops::cpu::{contiguous, float_tensor, values};

impl MixtureKernels for Flex {
    fn sample(
        raw: FlexTensor,
        weights: FlexTensor,
        noise: FlexTensor,
        source: Source,
    ) -> FlexTensor {
        let s = Sizes::of(&raw.shape());
        let [raw, weights, noise] = [raw, weights, noise].map(contiguous);
        let (raw, weights, noise) = (values(&raw), values(&weights), values(&noise));
        let mut output = vec![0.0; s.batch * s.rows * s.latents];
        for_each_chunk(&mut output, s.rows * s.latents, |b, output| {
            let weights = &weights[b * s.components..][..s.components];
            let noise = s.noise(noise, source, b);
            for (m, output) in output.chunks_mut(s.latents).enumerate() {
                let (location, scale, noise) = s.row(raw, &noise, b, m);
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
        source: Source,
    ) -> (FlexTensor, FlexTensor) {
        let s = Sizes::of(&raw.shape());
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
            let noise = s.noise(noise, source, b);
            for (m, raw_grad) in raw_grad.chunks_mut(2 * kd).enumerate() {
                let (location, scale, noise) = s.row(raw, &noise, b, m);
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

impl Sizes {
    /// Noise `[M, K, D]` of one sample.
    fn noise<'a>(&self, given: &'a [f32], source: Source, b: usize) -> Cow<'a, [f32]> {
        let len = self.rows * self.components * self.latents;
        match source {
            Source::Given => Cow::Borrowed(&given[b * len..][..len]),
            Source::Counter(noise) => {
                let mut values = vec![0.0; len];
                noise.fill(b as u32, &mut values);
                Cow::Owned(values)
            }
        }
    }

    /// Location, scale input and noise of row m of sample b, each `[K, D]`; `noise` is that of the
    /// sample.
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
        (location, scale, &noise[m * kd..][..kd])
    }
}
