//! One minibatch of transitions as tensors.

use burn::tensor::{Device, Tensor};

use crate::sharing::Sharing;
use crate::traffic::upload;
use crate::world_model::TransitionNoise;
use crate::world_model::penalty::PenaltyNoise;

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
    /// What the policy and the critic are compared with, `[4, B]`; see [`Targets`].
    pub targets: Tensor<2>,
    /// Rewards `[B]`, after clipping.
    pub rewards: Tensor<1>,
    /// 1 where the flag from *before* the step says done, `[B]`: these are EnvPool's fake
    /// transitions.
    pub dones: Tensor<1>,
    /// Noise of the transition sample; none if l_P needs no sample.
    pub noise: Option<TransitionNoise>,
    /// Random numbers of the gradient penalty; none without one.
    pub penalty: Option<PenaltyNoise>,
    /// What the done predictor should say of the next latents, `[B]`; none without a predictor.
    pub ends: Option<Tensor<1>>,
}

/// What the policy and the critic of a minibatch are compared with; each `[B]`.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// Log-probability of the chosen action under the behaviour policy.
    pub log_probs: Vec<f32>,
    /// Advantages, not yet normalised.
    pub advantages: Vec<f32>,
    /// Returns.
    pub returns: Vec<f32>,
    /// The chosen actions.
    pub actions: Vec<u32>,
}

impl Targets {
    /// As one tensor `[4, B]`: one upload, and one buffer of a kernel.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a game has at most 18 actions")]
    pub fn upload(self, device: &Device) -> Tensor<2> {
        let Self { log_probs, advantages, returns, actions } = self;
        let batch = actions.len();
        let actions = actions.into_iter().map(|action| action as f32);
        let all = [log_probs, advantages, returns].concat().into_iter().chain(actions).collect();
        upload(all, [4, batch], device)
    }
}

/// A vector `[B]` on `device`.
#[must_use]
pub fn vector(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let len = values.len();
    upload(values, [len], device)
}
