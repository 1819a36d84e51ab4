//! One minibatch of transitions as tensors.

use burn::tensor::{Device, Tensor};

use crate::sharing::Sharing;
use crate::traffic::upload;
use crate::world_model::TransitionNoise;

/// One minibatch of transitions on the autodiff device; B samples, A actions.
#[derive(Clone, Debug)]
pub struct Minibatch {
    /// `[B, H, W, C]` in [0, 1]. With a world model `[2B, H, W, C]`: the next observations follow
    /// the observations, so that one pass of the encoder computes both. With `sharing` only the
    /// distinct ones.
    pub observations: Tensor<4>,
    /// Which samples are equal; none if every observation is computed separately.
    pub sharing: Option<Sharing>,
    /// One-hot `[B, A]`.
    pub actions: Tensor<2>,
    /// Log-probability under the behaviour policy, `[B]`.
    pub log_probs: Tensor<1>,
    /// Advantages `[B]`, not yet normalised.
    pub advantages: Tensor<1>,
    /// Returns `[B]`.
    pub returns: Tensor<1>,
    /// Rewards `[B]`, after clipping.
    pub rewards: Tensor<1>,
    /// 1 where the flag from *before* the step says done, `[B]`: these are EnvPool's fake
    /// transitions.
    pub dones: Tensor<1>,
    /// Noise of the transition sample; none if l_P needs no sample.
    pub noise: Option<TransitionNoise>,
}

/// A vector `[B]` on `device`.
#[must_use]
pub fn vector(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let len = values.len();
    upload(values, [len], device)
}
