//! Layer normalisation over the last axis, with the authors' epsilon.

use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::Device;

/// Added to the variance.
const EPSILON: f64 = 1e-6;

/// A normalisation of vectors of this width, with scale 1 and bias 0.
#[must_use]
pub fn layer_norm(width: usize, device: &Device) -> LayerNorm {
    LayerNormConfig::new(width).with_epsilon(EPSILON).init(device)
}
