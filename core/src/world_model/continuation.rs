//! Whether an imagined episode continues.
//!
//! This world model does not predict ends: real ends enter the losses as done flags of the rollout,
//! and an imagined episode never ends. A done predictor belongs in this module. Its parameters must
//! come after those of the reward network, because saved checkpoints depend on the order of the
//! flat vector.

use burn::tensor::Tensor;

/// Probability `[B]` that the episode continues in the latents `[B, h, w, c]`: always 1.
#[must_use]
pub(super) fn continuation(latents: &Tensor<4>) -> Tensor<1> {
    Tensor::ones([latents.dims()[0]], &latents.device())
}
