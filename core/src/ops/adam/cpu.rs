//! Clipping and Adam on plain slices.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use deepspi_worlds::parallel::{for_each_chunk, for_each_chunk_of_three};

use super::{AdamOp, AdamStep};
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
    ) -> (FlexTensor, FlexTensor) {
        let inputs = [parameters, grads, moment_1, moment_2].map(contiguous);
        let [parameters, grads, moment_1, moment_2] = inputs.each_ref().map(values);
        let norm = norm(grads);
        let factor = step.factor(norm);
        let len = parameters.len();
        let mut all = vec![0.0; 3 * len];
        let (new_parameters, rest) = all.split_at_mut(len);
        let (new_moment_1, new_moment_2) = rest.split_at_mut(len);
        let new = [new_parameters, new_moment_1, new_moment_2];
        for_each_chunk_of_three(new, CHUNK, |chunk, [out_p, out_m, out_v]| {
            let start = chunk * CHUNK;
            let range = start..start + out_p.len();
            let inputs = parameters[range.clone()]
                .iter()
                .zip(&grads[range.clone()])
                .zip(&moment_1[range.clone()])
                .zip(&moment_2[range]);
            let outputs = out_p.iter_mut().zip(out_m).zip(out_v);
            for (((out_p, out_m), out_v), (((p, g), m), v)) in outputs.zip(inputs) {
                let g = g * factor;
                let m = step.beta_1 * m + (1.0 - step.beta_1) * g;
                let v = step.beta_2 * v + (1.0 - step.beta_2) * (g * g);
                let denominator = (v / step.bias_correction_2).sqrt() + step.epsilon;
                *out_p = step.keep * p - step.rate * (m / denominator);
                *out_m = m;
                *out_v = v;
            }
        });
        (float_tensor(all, [3 * len]), float_tensor(vec![norm], [1]))
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
