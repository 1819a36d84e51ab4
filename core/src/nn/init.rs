//! Initial values of parameters, drawn on the CPU (see [`deepspi_worlds::rng`]).
//!
//! The distributions are those of docs/deepspi.md, section 3.1. The numbers differ from those of
//! the authors' generator; golden files bring their own parameters.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// `rows x columns` values, row-major, with orthonormal columns (or rows, if there are fewer of
/// them), times `gain`.
#[must_use]
pub fn orthogonal(rng: &mut impl Rng, rows: usize, columns: usize, gain: f32) -> Vec<f32> {
    let (vectors, len) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f32>> = Vec::with_capacity(vectors);
    while basis.len() < vectors {
        let mut v: Vec<f32> = (0..len).map(|_| StandardNormal.sample(rng)).collect();
        // Projecting twice makes Gram-Schmidt as accurate as a QR decomposition.
        for _ in 0..2 {
            for b in &basis {
                let overlap = dot(&v, b);
                v.iter_mut().zip(b).for_each(|(x, y)| *x -= overlap * y);
            }
        }
        let norm = dot(&v, &v).sqrt();
        v.iter_mut().for_each(|x| *x /= norm);
        basis.push(v);
    }
    let mut values = vec![0.0; rows * columns];
    for (i, v) in basis.iter().enumerate() {
        for (j, x) in v.iter().enumerate() {
            let (row, column) = if columns <= rows { (j, i) } else { (i, j) };
            values[row * columns + column] = gain * x;
        }
    }
    values
}

/// `len` values of a normal distribution truncated at two standard deviations, with variance
/// `1 / fan_in`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "layer sizes stay far below 2^24")]
pub fn lecun_normal(rng: &mut impl Rng, len: usize, fan_in: usize) -> Vec<f32> {
    // 0.8796 is the standard deviation of a standard normal truncated at +-2.
    let sigma = (1.0 / fan_in as f32).sqrt() / 0.879_625_7;
    (0..len).map(|_| sigma * truncated_normal(rng, 2.0)).collect()
}

/// A standard normal conditioned on `|x| <= limit`, by rejection.
fn truncated_normal(rng: &mut impl Rng, limit: f32) -> f32 {
    loop {
        let x: f32 = StandardNormal.sample(rng);
        if x.abs() <= limit {
            return x;
        }
    }
}

/// Dot product as sixteen independent sums, which the compiler keeps in vector registers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 16];
    let (a_chunks, b_chunks) = (a.chunks_exact(16), b.chunks_exact(16));
    let tail: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for i in 0..16 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f32>() + tail
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

    #[test]
    fn orthogonal_columns_are_orthonormal_times_gain() {
        for (rows, columns) in [(40, 12), (12, 40)] {
            let gain = 2.0_f32.sqrt();
            let w = orthogonal(&mut stream(3, Stream::Parameters), rows, columns, gain);
            let vectors = rows.min(columns);
            for i in 0..vectors {
                for j in 0..vectors {
                    let product: f32 = (0..rows.max(columns))
                        .map(|k| {
                            if columns <= rows {
                                w[k * columns + i] * w[k * columns + j]
                            } else {
                                w[i * columns + k] * w[j * columns + k]
                            }
                        })
                        .sum();
                    let expected = if i == j { 2.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-5, "{i},{j}: {product}");
                }
            }
        }
    }

    #[test]
    fn lecun_normal_has_variance_one_over_fan_in() {
        let values = lecun_normal(&mut stream(1, Stream::Parameters), 100_000, 25);
        let variance = values.iter().map(|x| x * x).sum::<f32>() / 100_000.0;
        assert!((variance - 0.04).abs() < 0.001, "variance {variance}");
        let limit = 2.0 * 0.2 / 0.879;
        assert!(values.iter().all(|x| x.abs() < limit));
    }
}
