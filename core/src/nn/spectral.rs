//! Spectral normalisation: a kernel is divided by an estimate of its largest singular value.
//!
//! `Parity` repeats the authors' estimate. Its last vector is not normalised, so it approaches the
//! *square* of the singular value (docs/deepspi.md, D2); golden values depend on this. `Exact`
//! divides by a guaranteed upper bound: Gram iteration (Delattre et al., ICML 2023) never
//! underestimates the singular value, whereas a power iteration never overestimates it. Gradients
//! flow through both.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{Device, Tensor};
use deepspi_run::config::SpectralMode;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use crate::ops::constant_on;
use crate::ops::power_iteration::{Matrices, divide_by_power_iteration};
use crate::traffic::upload;

/// Squarings in `Exact`: the bound exceeds a singular value of a rank-r matrix by at most
/// `r^(1/2^7)`, 4.4 % for rank 256.
const GRAM_ITERATIONS: i32 = 6;

/// Keeps the result an upper bound although arithmetic rounds.
const ROUNDING_MARGIN: f32 = 1.0 + 1e-5;

/// The fixed vector every power iteration starts from, as a function of its length.
#[derive(Clone)]
pub struct StartVector {
    vector: Arc<dyn Fn(usize) -> Vec<f32> + Send + Sync>,
    /// The vectors that a device has already, without autodiff; an update needs the same ones again.
    uploaded: Arc<Mutex<Vec<Uploaded>>>,
}

/// A start vector on a device.
struct Uploaded {
    device: Device,
    order: Order,
    vector: Tensor<1>,
}

/// Length and order of the entries of a start vector.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// As the vector is.
    Plain(usize),
    /// For patches whose channels come last: the authors' begin with the channels.
    Patch { pixels: usize, channels: usize },
}

impl StartVector {
    /// A start vector from a function of the length.
    pub fn new(vector: impl Fn(usize) -> Vec<f32> + Send + Sync + 'static) -> Self {
        Self { vector: Arc::new(vector), uploaded: Arc::default() }
    }

    /// The vector on a device.
    fn on(&self, order: Order, device: &Device) -> Tensor<1> {
        let plain = device.clone().inner();
        let mut uploaded = self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = uploaded.iter().find(|known| known.order == order && known.device == plain);
        let vector = known.map(|known| known.vector.clone()).unwrap_or_else(|| {
            let values: Vec<f32> = match order {
                Order::Plain(len) => (self.vector)(len),
                Order::Patch { pixels, channels } => {
                    let len = pixels * channels;
                    let vector = (self.vector)(len);
                    (0..len).map(|i| vector[i % channels * pixels + i / channels]).collect()
                }
            };
            let len = values.len();
            let vector = upload(values, [len], &plain);
            uploaded.push(Uploaded { device: plain.clone(), order, vector: vector.clone() });
            vector
        });
        constant_on(vector, device)
    }

    /// Standard normal entries, the same in every run; equal lengths give equal vectors.
    ///
    /// If the vector depended on the run's seed, sigma would differ by 2 to 7 % between seeds for
    /// equal kernels. The authors' vector is constant, too.
    #[must_use]
    pub fn constant() -> Self {
        /// Must not change: the predictions of a trained network depend on this vector.
        const SEED: u64 = 0;
        Self::new(|len| {
            let mut rng = ChaCha8Rng::seed_from_u64(SEED);
            (0..len).map(|_| StandardNormal.sample(&mut rng)).collect()
        })
    }
}

impl fmt::Debug for StartVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StartVector")
    }
}

/// How spectral layers are normalised.
#[derive(Clone, Debug)]
pub struct Spectral {
    /// Which estimate divides the kernel.
    pub mode: SpectralMode,
    /// The start vector of the power iteration; only read in `Parity`.
    pub start: StartVector,
}

impl Spectral {
    /// The normalised kernel of a dense layer, `[in, out]`.
    #[must_use]
    pub fn dense(&self, kernel: Tensor<2>) -> Tensor<2> {
        let columns = kernel.dims()[1];
        match self.mode {
            SpectralMode::Parity => {
                let start = self.start.on(Order::Plain(columns), &kernel.device());
                divide_by_power_iteration(kernel, start, Matrices::Whole)
            }
            SpectralMode::Exact => {
                let bound = gram_bound(kernel.clone().unsqueeze::<3>());
                kernel / by_columns(bound.reshape([1, 1]), columns)
            }
        }
    }

    /// The normalised kernel of a convolution, `[KH, KW, C, O]`. Its outputs form `groups`, each
    /// normalised separately.
    #[must_use]
    pub fn conv(&self, kernel: Tensor<4>, groups: usize) -> Tensor<4> {
        let [height, width, channels, outputs] = kernel.dims();
        let patch = height * width * channels;
        let pixels = height * width;
        let kernel = kernel.reshape([patch, outputs]);
        let kernel = match self.mode {
            SpectralMode::Parity => {
                let start = self.start.on(Order::Patch { pixels, channels }, &kernel.device());
                divide_by_power_iteration(kernel, start, Matrices::TransposedColumns(groups))
            }
            SpectralMode::Exact => {
                let matrices = kernel.clone().swap_dims(0, 1);
                let bound = gram_bound(matrices.reshape([groups, outputs / groups, patch]));
                // At stride 1 a pixel occurs in up to KH * KW patches.
                #[expect(clippy::cast_precision_loss, reason = "kernels are a few pixels wide")]
                let overlap = (pixels as f32).sqrt();
                let bound = by_columns((bound * overlap).reshape([groups, 1]), outputs / groups);
                kernel / bound.reshape([1, outputs])
            }
        };
        kernel.reshape([height, width, channels, outputs])
    }
}

/// Repeats `[n, 1]` as `[n, columns]`. Division by a single number would make that number's
/// gradient one sum over the whole kernel, a very long loop in one GPU thread; this way there are
/// two shorter sums.
fn by_columns(sigma: Tensor<2>, columns: usize) -> Tensor<2> {
    let rows = sigma.dims()[0];
    sigma.expand([rows, columns])
}

/// An upper bound of the largest singular value of each of `[G, rows, columns]`.
fn gram_bound(matrices: Tensor<3>) -> Tensor<3> {
    let [_, rows, columns] = matrices.dims();
    let transposed = matrices.clone().swap_dims(1, 2);
    let mut gram =
        if rows < columns { matrices.matmul(transposed) } else { transposed.matmul(matrices) };
    // sigma_1 = lim |gram_k|_F ^ (1 / 2^k); the norms divided out are kept as logarithms.
    let mut log_scale = frobenius(gram.clone()).zeros_like();
    for _ in 1..GRAM_ITERATIONS {
        let norm = frobenius(gram.clone());
        gram = gram / norm.clone();
        log_scale = (log_scale + norm.log()) * 2.0;
        gram = gram.clone().matmul(gram.swap_dims(1, 2));
    }
    let log_norm: Tensor<3> = frobenius(gram).log() + log_scale;
    let root: f32 = 0.5_f32.powi(GRAM_ITERATIONS);
    (log_norm * root).exp() * ROUNDING_MARGIN
}

/// Frobenius norm of each of `[G, n, m]` as `[G, 1, 1]`; never 0, so that a zero kernel stays
/// finite.
fn frobenius(x: Tensor<3>) -> Tensor<3> {
    ((x.clone() * x).sum_dim(2).sum_dim(1) + 1e-30).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sigma_of(mode: SpectralMode, rows: usize, columns: usize, diagonal: &[f32]) -> f32 {
        let mut values = vec![0.0; rows * columns];
        for (i, x) in diagonal.iter().enumerate() {
            values[i * columns + i] = *x;
        }
        let kernel = upload(values, [rows, columns], &Device::flex());
        let divided = Spectral { mode, start: StartVector::constant() }.dense(kernel);
        let divided: Vec<f32> = divided.into_data().try_to_vec().expect("f32");
        diagonal[0] / divided[0]
    }

    #[test]
    fn parity_approaches_the_square_of_the_singular_value() {
        // There is only one singular value, so the power iteration is exact after one round.
        let sigma = sigma_of(SpectralMode::Parity, 3, 5, &[0.5]);
        assert!((sigma - 0.25).abs() < 1e-4, "{sigma}");
    }

    #[test]
    fn equal_lengths_start_from_equal_vectors() {
        let [first, second] =
            [StartVector::constant(), StartVector::constant()].map(|v| (v.vector)(64));
        assert_eq!(first, second);
    }

    #[test]
    fn a_device_gets_each_vector_once_and_its_own_order() {
        let start = StartVector::new(|len| (0..len).map(|i| i as f32).collect());
        let read = |order, device: &Device| -> Vec<f32> {
            start.on(order, device).into_data().try_to_vec().expect("f32")
        };
        let (plain, device) = (Order::Plain(6), Device::flex());
        let patch = Order::Patch { pixels: 3, channels: 2 };
        for _ in 0..2 {
            assert_eq!(read(plain, &device), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
            assert_eq!(read(patch, &device.clone().autodiff()), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        }
        assert_eq!(start.uploaded.lock().expect("not poisoned").len(), 2);
    }

    #[test]
    fn exact_bounds_from_above_and_is_tight() {
        for (rows, columns) in [(8, 5), (5, 8)] {
            let sigma = sigma_of(SpectralMode::Exact, rows, columns, &[3.0, 2.9, 2.8, 0.1, 1.0]);
            assert!((3.0..3.0 * 1.02).contains(&sigma), "{sigma}");
        }
        let small = sigma_of(SpectralMode::Exact, 4, 4, &[1e-4, 1e-5]);
        assert!((1e-4..1.01e-4).contains(&small), "{small}");
    }
}
