//! Distances of latents that several densities use.

use burn::tensor::Tensor;
use deepspi_run::config::LatentDistance;

use crate::ops::smooth_l1::smooth_l1_distance;

/// Distance `[B]` between latents `[B, M, D]`: smooth-L1 summed over all dimensions, or Euclidean.
pub(super) fn between(found: Tensor<3>, target: Tensor<3>, distance: LatentDistance) -> Tensor<1> {
    match distance {
        LatentDistance::SmoothL1 => smooth_l1_distance(found.flatten(1, 2), target.flatten(1, 2)),
        LatentDistance::Euclidean => euclidean(found - target),
    }
}

/// Euclidean length `[B]` of errors `[B, M, D]`.
pub(super) fn euclidean(error: Tensor<3>) -> Tensor<1> {
    let square = (error.clone() * error).flatten::<2>(1, 2).sum_dim(1);
    root(square).squeeze_dim(1)
}

/// Square root whose derivative stays finite at 0.
pub(super) fn root<const D: usize>(square: Tensor<D>) -> Tensor<D> {
    (square + 1e-12).sqrt()
}
