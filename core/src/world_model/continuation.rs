//! Whether an imagined episode goes on.
//!
//! Nothing in this world model predicts ends: real ends enter the losses as flags of the rollout, and
//! an imagined episode never ends. A done predictor belongs here; its parameters would come after the
//! reward network's, because their order is that of the flat vector in saved checkpoints.

use burn::tensor::Tensor;

/// Probability `[B]` that the episode goes on in the latents `[B, h, w, c]`: always 1.
#[must_use]
pub(super) fn continuation(latents: &Tensor<4>) -> Tensor<1> {
    Tensor::ones([latents.dims()[0]], &latents.device())
}
