//! Clipping by the global norm and one step of Adam, as one operation on flat vectors.
//!
//! On the CPU it is one pass for the norm and one for the step instead of fifteen; on a GPU two kernels
//! instead of twenty. No value is read back.

mod cpu;
#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

use super::cpu::on_cpu;
use super::total::total;

/// Constants of one step.
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
    /// Factor of the parameters before the step: 1 minus learning rate times weight decay (AdamW).
    pub keep: f32,
    /// Largest Euclidean norm of the gradient; a longer gradient is scaled down.
    pub max_norm: f32,
}

impl AdamStep {
    /// What the gradient is multiplied with.
    fn factor(&self, norm: f32) -> f32 {
        if norm > self.max_norm { self.max_norm / norm } else { 1.0 }
    }
}

/// The results of a step.
#[derive(Clone, Debug)]
pub struct Stepped {
    /// New parameters `[P]`.
    pub parameters: Tensor<1>,
    /// New first moments `[P]`.
    pub moment_1: Tensor<1>,
    /// New second moments `[P]`.
    pub moment_2: Tensor<1>,
    /// Norm of the gradient before clipping, `[1]`.
    pub norm: Tensor<1>,
}

/// One step from parameters, gradients and moments, all `[P]`. Epsilon stands outside the square root.
#[must_use]
pub fn clipped_adam_step(
    parameters: Tensor<1>,
    grads: Tensor<1>,
    moment_1: Tensor<1>,
    moment_2: Tensor<1>,
    step: AdamStep,
) -> Stepped {
    let len = parameters.dims()[0];
    if len > LONGEST && !on_cpu(&parameters.device()) {
        return composed(parameters, grads, moment_1, moment_2, step);
    }
    let (all, norm) = <Dispatch as AdamOp>::clipped_adam(
        parameters.into_dispatch(),
        grads.into_dispatch(),
        moment_1.into_dispatch(),
        moment_2.into_dispatch(),
        step,
    );
    let all = Tensor::<1>::from_dispatch(all);
    // Slices of one vector, which cost nothing where `len` is a multiple of the alignment.
    let part = |i: usize| all.clone().narrow(0, i * len, len);
    Stepped {
        parameters: part(0),
        moment_1: part(1),
        moment_2: part(2),
        norm: Tensor::from_dispatch(norm),
    }
}

/// Parameters of a step whose three results fit into a buffer of 128 MiB, the most that WebGPU promises.
const LONGEST: usize = 10_000_000;

/// [`clipped_adam_step`] as plain tensor operations, each with a result of its own.
#[must_use]
pub fn composed(
    parameters: Tensor<1>,
    grads: Tensor<1>,
    moment_1: Tensor<1>,
    moment_2: Tensor<1>,
    step: AdamStep,
) -> Stepped {
    let len = parameters.dims()[0];
    let norm = total(grads.clone() * grads.clone()).sqrt();
    // Of a gradient of 0 the quotient is infinite, and the factor 1.
    let factor = (norm.clone().recip() * step.max_norm).clamp_max(1.0);
    let grads = grads * factor.expand([len]);
    let moment_1 = moment_1 * step.beta_1 + grads.clone() * (1.0 - step.beta_1);
    let moment_2 = moment_2 * step.beta_2 + grads.clone() * grads * (1.0 - step.beta_2);
    let denominator = (moment_2.clone() / step.bias_correction_2).sqrt() + step.epsilon;
    let parameters = parameters * step.keep - moment_1.clone() / denominator * step.rate;
    Stepped { parameters, moment_1, moment_2, norm }
}

/// Dispatches [`clipped_adam_step`] to a backend.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"))]
pub trait AdamOp: Backend {
    /// New parameters, first and second moments as one vector `[3 P]`, and the norm `[1]`. The norm has
    /// memory of its own: it is kept until the end of an iteration, the vector only until the next step.
    fn clipped_adam(
        parameters: FloatTensor<Self>,
        grads: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::golden::fill::fill;
    use crate::traffic::upload;

    /// The first step of a run.
    const FIRST: AdamStep = AdamStep {
        keep: 1.0,
        beta_1: 0.9,
        beta_2: 0.999,
        rate: 0.01,
        bias_correction_2: 0.001,
        epsilon: 1e-5,
        max_norm: 0.5,
    };

    fn read(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_to_vec().expect("f32")
    }

    #[test]
    fn a_step_agrees_with_the_definition_with_and_without_clipping() {
        // More than one piece of work for a thread.
        let len = 40_000;
        let [p, g, m] = [1, 2, 3].map(|seed| fill(seed, len, -1.0, 1.0));
        let v = fill(4, len, 0.0, 1.0);
        let norm = g.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        for max_norm in [0.5_f32, 1e6] {
            let step = AdamStep { bias_correction_2: 0.5, keep: 0.99, max_norm, ..FIRST };
            let factor = (f64::from(max_norm) / norm).min(1.0);
            let [p0, g0, m0, v0] =
                [&p, &g, &m, &v].map(|x| upload(x.clone(), [len], &Device::flex()));
            let inputs = [p0, g0, m0, v0];
            for compute in [clipped_adam_step, composed] {
                let [p0, g0, m0, v0] = inputs.clone();
                let found = compute(p0, g0, m0, v0, step);
                assert!((f64::from(read(found.norm)[0]) - norm).abs() < 1e-4 * norm);
                let found = [found.parameters, found.moment_1, found.moment_2].map(read);
                for i in 0..len {
                    let [p, g, m, v] = [&p, &g, &m, &v].map(|x| f64::from(x[i]));
                    let g = g * factor;
                    let m1 = 0.9 * m + 0.1 * g;
                    let v1 = 0.999 * v + 0.001 * g * g;
                    let p1 = 0.99 * p - 0.01 * m1 / ((v1 / 0.5).sqrt() + 1e-5);
                    for (found, expected) in found.iter().zip([p1, m1, v1]) {
                        let found = f64::from(found[i]);
                        assert!((found - expected).abs() < 1e-5, "{i}: {found} {expected}");
                    }
                }
            }
        }
    }

    /// The norms of all updates of an iteration are read together, at its end.
    #[test]
    fn a_norm_that_is_kept_does_not_keep_the_parameters() {
        const LEN: usize = 1_000_000;
        const STEPS: usize = 40;
        let resident = || -> Option<f64> {
            let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
            Some(statm.split(' ').nth(1)?.parse::<f64>().ok()? * 4096.0 / 1e6)
        };
        let vector = || Tensor::<1>::ones([LEN], &Device::flex());
        let (mut parameters, mut norms) = (vector(), Vec::new());
        let Some(before) = resident() else { return };
        for _ in 0..STEPS {
            let stepped = clipped_adam_step(parameters, vector(), vector(), vector(), FIRST);
            parameters = stepped.parameters;
            norms.push(stepped.norm);
        }
        let grown = resident().unwrap_or(before) - before;
        // Kept, the results would be 480 MB.
        assert!(grown < 200.0, "{} norms hold {grown} MB", norms.len());
    }

    #[test]
    fn a_gradient_of_zero_moves_nothing() {
        let vector = |x: f32| Tensor::<1>::full([3], x, &Device::flex());
        for compute in [clipped_adam_step, composed] {
            let found = compute(vector(2.0), vector(0.0), vector(0.0), vector(0.0), FIRST);
            assert_eq!(read(found.parameters), [2.0; 3]);
            assert_eq!(read(found.norm), [0.0]);
        }
    }
}
