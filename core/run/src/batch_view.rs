//! The transitions of one iteration as the objective sees them, as numbers.

use serde::{Deserialize, Serialize};

/// All transitions of one rollout, time-major: entry `t * N + n` of every list is step t of
/// environment n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchView {
    /// A, `[T, N]`: normalised over the batch if the configuration says so.
    pub advantage: Vec<f32>,
    /// What advantages were divided by, their standard deviation in the batch; none where they are
    /// taken as they are.
    pub deviation: Option<f32>,
    /// U, `[T, N]`, what the clipped ratio is multiplied with: `A - alpha_R l_R - alpha_P l_P` of Eq. 6
    /// with DeepSPI. With DeepMDP, whose losses stay outside the clip, and PPO it is A.
    pub utility: Vec<f32>,
    /// Losses of the world model; none where there is none.
    pub losses: Option<TransitionLosses>,
    /// Importance ratio r of the updated policy to the one that acted, `[T, N]`.
    pub ratio: Vec<f32>,
    /// Set on the steps after an end of an episode, `[T, N]`, which only show the next start. They are
    /// part of the loss, as in the authors' code, with the state itself as target of the transition.
    pub done: Vec<bool>,
}

/// Losses of the world model, one entry for each transition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransitionLosses {
    /// `l_R`.
    pub reward: Vec<f32>,
    /// `l_P`, for a sampled density that of one sample.
    pub transition: Vec<f32>,
}
