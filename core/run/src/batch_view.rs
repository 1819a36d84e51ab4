//! The transitions of one iteration as the objective sees them, as plain numbers.

use serde::{Deserialize, Serialize};

/// All transitions of one rollout, time-major: entry `t * N + n` of every list is step t of
/// environment n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchView {
    /// Advantages A, `[T, N]`: normalised over the batch if the configuration says so.
    pub advantage: Vec<f32>,
    /// The divisor of the advantages, their standard deviation in the batch; none if advantages are
    /// not normalised.
    pub deviation: Option<f32>,
    /// Utility U, `[T, N]`, the factor of the clipped ratio: `A - alpha_R l_R - alpha_P l_P` of Eq.
    /// 6 with DeepSPI. With PPO, and with DeepMDP, whose losses stay outside the clip, it is A.
    pub utility: Vec<f32>,
    /// Losses of the world model; none without a world model.
    pub losses: Option<TransitionLosses>,
    /// Importance ratios r of the updated policy to the behaviour policy, `[T, N]`.
    pub ratio: Vec<f32>,
    /// Set on the steps after the end of an episode, `[T, N]`, which only return the next start.
    /// They are part of the loss, as in the authors' code, with the state itself as target of the
    /// transition.
    pub done: Vec<bool>,
}

/// Losses of the world model, one entry for each transition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransitionLosses {
    /// `l_R`.
    pub reward: Vec<f32>,
    /// `l_P`; for a sampled density the loss of one sample.
    pub transition: Vec<f32>,
}
