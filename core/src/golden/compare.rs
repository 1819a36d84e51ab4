//! Comparison of a quantity with its value in a golden file.

use super::file::{PerSample, Summary};

/// Relative tolerance of losses, latents and logits.
pub(super) const VALUE_TOLERANCE: f64 = 1e-4;
/// Relative tolerance of gradients and of parameters after one step.
pub(super) const GRADIENT_TOLERANCE: f64 = 1e-3;

/// One compared quantity.
#[derive(Clone, Debug)]
pub struct Check {
    /// Name of the quantity.
    pub quantity: String,
    /// Largest relative error over its entries. The error of an entry is divided by the entry or by
    /// the root mean square of its tensor, whichever is larger, because entries near 0 have no
    /// accurate relative digits.
    pub error: f64,
    /// Largest error allowed.
    pub tolerance: f64,
}

impl Check {
    /// Whether the error is within the tolerance; false for NaN.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.error <= self.tolerance
    }

    pub(super) fn scalar(quantity: &str, found: f64, expected: f64) -> Self {
        Self::values(quantity, &[found], &[expected], VALUE_TOLERANCE)
    }

    pub(super) fn values(quantity: &str, found: &[f64], expected: &[f64], tolerance: f64) -> Self {
        let square: f64 = expected.iter().map(|x| x * x).sum();
        let typical = (square / expected.len().max(1) as f64).sqrt();
        let pairs = found.iter().zip(expected).map(|(a, b)| (*a, *b, typical));
        Self { quantity: quantity.to_owned(), error: worst(pairs), tolerance }
    }

    pub(super) fn per_sample(quantity: &str, found: &[f64], expected: &PerSample) -> Self {
        match expected {
            PerSample::Values(expected) => Self::values(quantity, found, expected, VALUE_TOLERANCE),
            PerSample::Scalar(expected) => {
                let mean = found.iter().sum::<f64>() / found.len().max(1) as f64;
                Self::scalar(quantity, mean, *expected)
            }
        }
    }

    pub(super) fn summary(
        quantity: &str,
        found: &[f32],
        expected: &Summary,
        tolerance: f64,
    ) -> Self {
        let values = || found.iter().map(|x| f64::from(*x));
        let l2 = values().map(|x| x * x).sum::<f64>().sqrt();
        let typical = expected.l2 / (found.len() as f64).sqrt();
        let at = |i: usize| found.get(i).map_or(f64::NAN, |x| f64::from(*x));
        let entries = expected.at.iter().map(|&(i, value)| (at(i), value, typical));
        // The error of a sum is divided by the size of its mean entry. Division by the sum itself
        // would compare rounding noise with rounding noise where entries cancel: the gradients of
        // softmax logits sum to exactly 0.
        let count = found.len() as f64;
        let mean = values().sum::<f64>() / count;
        let totals = [(mean, expected.sum / count, typical), (l2, expected.l2, expected.l2)];
        Self { quantity: quantity.to_owned(), error: worst(entries.chain(totals)), tolerance }
    }
}

/// The largest `|found - expected| / max(|expected|, typical)`; infinite if a value is not finite.
fn worst(triples: impl Iterator<Item = (f64, f64, f64)>) -> f64 {
    triples.fold(0.0, |worst, (found, expected, typical)| {
        let difference = (found - expected).abs();
        let error = if difference == 0.0 { 0.0 } else { difference / expected.abs().max(typical) };
        if error.is_finite() { worst.max(error) } else { f64::INFINITY }
    })
}
