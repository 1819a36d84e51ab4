//! Clipping and Adam on plain slices.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use deepspi_worlds::parallel::for_each_chunk;

use super::{AdamOp, AdamStep, result_len};
use crate::ops::cpu::{contiguous, float_tensor, values};

/// Numbers of one piece of work. Fixed, so that the result does not depend on the number of threads;
/// fits the second-level cache with room to spare.
const CHUNK: usize = 16_384;

impl AdamOp for Flex {
    fn clipped_adam(
        parameters: FlexTensor,
        grads: FlexTensor,
        moment_1: FlexTensor,
        moment_2: FlexTensor,
        step: AdamStep,
    ) -> FlexTensor {
        let inputs = [parameters, grads, moment_1, moment_2].map(contiguous);
        let [parameters, grads, moment_1, moment_2] = inputs.each_ref().map(values);
        let norm = norm(grads);
        let factor = step.factor(norm);
        let len = parameters.len();
        // Each row holds one parameter and its two moments; they are separated afterwards.
        let mut updated: Vec<[f32; 3]> = vec![[0.0; 3]; len];
        for_each_chunk(&mut updated, CHUNK, |chunk, out| {
            let start = chunk * CHUNK;
            let range = start..start + out.len();
            let inputs = parameters[range.clone()]
                .iter()
                .zip(&grads[range.clone()])
                .zip(&moment_1[range.clone()])
                .zip(&moment_2[range]);
            for (out, (((p, g), m), v)) in out.iter_mut().zip(inputs) {
                let g = g * factor;
                let m = step.beta_1 * m + (1.0 - step.beta_1) * g;
                let v = step.beta_2 * v + (1.0 - step.beta_2) * (g * g);
                let denominator = (v / step.bias_correction_2).sqrt() + step.epsilon;
                *out = [p - step.rate * (m / denominator), m, v];
            }
        });
        let mut all = Vec::with_capacity(result_len(len));
        for i in 0..3 {
            all.extend(updated.iter().map(|row| row[i]));
        }
        all.push(norm);
        all.resize(result_len(len), 0.0);
        float_tensor(all, [result_len(len)])
    }
}

/// Euclidean norm.
fn norm(values: &[f32]) -> f32 {
    let mut sums = vec![0.0_f64; values.len().div_ceil(CHUNK)];
    for_each_chunk(&mut sums, 1, |chunk, sum| {
        let values = &values[chunk * CHUNK..values.len().min((chunk + 1) * CHUNK)];
        let (rows, rest) = values.as_chunks::<16>();
        let mut squares = [0.0_f32; 16];
        for row in rows {
            for i in 0..16 {
                squares[i] += row[i] * row[i];
            }
        }
        let rest: f32 = rest.iter().map(|x| x * x).sum();
        sum[0] = squares.iter().map(|x| f64::from(*x)).sum::<f64>() + f64::from(rest);
    });
    sums.iter().sum::<f64>().sqrt() as f32
}
