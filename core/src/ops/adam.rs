//! The element-wise part of Adam: one pass over memory on the CPU instead of twelve.

use burn::backend::flex::FlexTensor;
use burn::backend::{Backend, Cube, Dispatch, Flex, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;
use deepspi_worlds::parallel::for_each_chunk;

use super::cpu::{contiguous, float_tensor, values};

/// Constants of one step of Adam.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Decay of the first moment.
    pub beta_1: f32,
    /// Decay of the second moment.
    pub beta_2: f32,
    /// Learning rate divided by the bias correction of the first moment.
    pub rate: f32,
    /// `1 - beta_2^t`.
    pub bias_correction_2: f32,
    /// Added to the square root of the corrected second moment.
    pub epsilon: f32,
}

/// New parameters and moments from parameters, gradients and moments, all `[P]`.
#[must_use]
pub fn adam_step(
    parameters: Tensor<1>,
    grads: Tensor<1>,
    moment_1: Tensor<1>,
    moment_2: Tensor<1>,
    step: AdamStep,
) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
    let (parameters, moment_1, moment_2) = <Dispatch as AdamOp>::adam(
        parameters.into_dispatch(),
        grads.into_dispatch(),
        moment_1.into_dispatch(),
        moment_2.into_dispatch(),
        step,
    );
    (
        Tensor::from_dispatch(parameters),
        Tensor::from_dispatch(moment_1),
        Tensor::from_dispatch(moment_2),
    )
}

/// Dispatches [`adam_step`] to a backend; the default body is the version for GPUs.
#[backend_extension(Flex, Cube)]
pub trait AdamOp: Backend {
    /// See [`adam_step`].
    fn adam(
        parameters: FloatTensor<Self>,
        grads: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let mix = |old, decay: f32, new| {
            Self::float_add(
                Self::float_mul_scalar(old, decay.into()),
                Self::float_mul_scalar(new, (1.0 - decay).into()),
            )
        };
        let squares = Self::float_mul(grads.clone(), grads.clone());
        let moment_1 = mix(moment_1, step.beta_1, grads);
        let moment_2 = mix(moment_2, step.beta_2, squares);
        let corrected = Self::float_div_scalar(moment_2.clone(), step.bias_correction_2.into());
        let denominator = Self::float_add_scalar(Self::float_sqrt(corrected), step.epsilon.into());
        let direction = Self::float_div(moment_1.clone(), denominator);
        let parameters =
            Self::float_sub(parameters, Self::float_mul_scalar(direction, step.rate.into()));
        (parameters, moment_1, moment_2)
    }
}

impl AdamOp for Cube {}

impl AdamOp for Flex {
    fn adam(
        parameters: FlexTensor,
        grads: FlexTensor,
        moment_1: FlexTensor,
        moment_2: FlexTensor,
        step: AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        /// Fits the second-level cache with room to spare.
        const CHUNK: usize = 16_384;
        let inputs = [parameters, grads, moment_1, moment_2].map(contiguous);
        let [parameters, grads, moment_1, moment_2] = inputs.each_ref().map(values);
        // Each row holds one parameter and its two moments; they are separated afterwards.
        let mut updated: Vec<[f32; 3]> = vec![[0.0; 3]; parameters.len()];
        for_each_chunk(&mut updated, CHUNK, |chunk, out| {
            let start = chunk * CHUNK;
            let range = start..start + out.len();
            let inputs = parameters[range.clone()]
                .iter()
                .zip(&grads[range.clone()])
                .zip(&moment_1[range.clone()])
                .zip(&moment_2[range]);
            for (out, (((p, g), m), v)) in out.iter_mut().zip(inputs) {
                let m = step.beta_1 * m + (1.0 - step.beta_1) * g;
                let v = step.beta_2 * v + (1.0 - step.beta_2) * (g * g);
                let denominator = (v / step.bias_correction_2).sqrt() + step.epsilon;
                *out = [p - step.rate * (m / denominator), m, v];
            }
        });
        let vector =
            |i: usize| float_tensor(updated.iter().map(|row| row[i]).collect(), [updated.len()]);
        (vector(0), vector(1), vector(2))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn two_steps_agree_with_the_definition() {
        let tensor = |x: [f32; 3]| Tensor::<1>::from_floats(x, &Device::flex());
        let step = AdamStep {
            beta_1: 0.9,
            beta_2: 0.999,
            rate: 0.01,
            bias_correction_2: 0.001,
            epsilon: 1e-5,
        };
        let (p, m, v) = adam_step(
            tensor([1.0, 2.0, 3.0]),
            tensor([0.5, 0.0, -2.0]),
            tensor([0.1; 3]),
            tensor([0.2; 3]),
            step,
        );
        let (p, m, v): (Vec<f32>, Vec<f32>, Vec<f32>) = (
            p.into_data().try_to_vec().expect("f32"),
            m.into_data().try_to_vec().expect("f32"),
            v.into_data().try_to_vec().expect("f32"),
        );
        for (i, (p0, g)) in [(1.0_f64, 0.5_f64), (2.0, 0.0), (3.0, -2.0)].into_iter().enumerate() {
            let m1 = 0.9 * 0.1 + 0.1 * g;
            let v1 = 0.999 * 0.2 + 0.001 * g * g;
            let p1 = p0 - 0.01 * m1 / ((v1 / 0.001).sqrt() + 1e-5);
            for (found, expected) in [(p[i], p1), (m[i], m1), (v[i], v1)] {
                assert!((f64::from(found) - expected).abs() < 1e-6, "{found} {expected}");
            }
        }
    }
}
