//! How far an imagined rollout is from what really happens in the maze.

use serde::{Deserialize, Serialize};

/// Mean errors after a number of imagined steps, over rollouts that have not really ended before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HorizonError {
    /// Imagined steps, from 1.
    pub horizon: usize,
    /// Rollouts that are counted.
    pub rollouts: usize,
    /// `|predicted - received|` of the reward of the step.
    pub reward: f64,
    /// `|V(imagined latent) - V(true latent)|` of the critic.
    pub value: f64,
    /// Distance of the imagined latent to the true one, relative to the mean distance of the latents of
    /// two states; none if all states have one latent.
    pub latent: Option<f64>,
    /// Share of the imagined latents to which the true latent is the nearest of all states; equal
    /// distances count.
    pub nearest: f64,
    /// `|predicted probability - whether the episode has ended|`; none without a done predictor.
    pub end: Option<f64>,
}
