//! What an agent that plays sees in an observation, and the terms of the objective for a step that it
//! played, as plain numbers.

use serde::{Deserialize, Serialize};

/// What an agent sees in one observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Perception {
    /// Log-probabilities of its policy, `[A]`.
    pub log_probs: Vec<f32>,
    /// Its value of the observation.
    pub value: f32,
    /// Importance ratios of its policy to the policy before its last update, `[A]`; none if it was
    /// not updated yet.
    pub ratios: Option<Vec<f32>>,
    /// The reward that its world model predicts for each action, `[A]`; none without a world model.
    pub predicted_rewards: Option<Vec<f32>>,
    /// Its latent, `[h, w, c]` flattened.
    pub latent: Vec<f32>,
}

/// The terms of the objective for one step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTerms {
    /// Advantage A of the step, `r + gamma V(s') - V(s)`, not normalised.
    pub advantage: f32,
    /// Utility U, `A - alpha_R l_R - alpha_P l_P` of Eq. 6 with DeepSPI, else A.
    pub utility: f32,
    /// `l_R`; none without a world model.
    pub reward_loss: Option<f32>,
    /// `l_P`; none without a world model.
    pub transition_loss: Option<f32>,
}
