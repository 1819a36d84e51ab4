//! Normalisation of advantages to mean 0 and unit variance.

use burn::tensor::Tensor;

/// `(A - mean) / (std + 1e-8)` with the population standard deviation, and the divisor, `[1]`.
#[must_use]
pub fn normalise(advantages: Tensor<1>) -> (Tensor<1>, Tensor<1>) {
    let centred = advantages.clone() - advantages.mean();
    let deviation = (centred.clone() * centred.clone()).mean().sqrt() + 1e-8;
    (centred / deviation.clone(), deviation)
}
