//! How far an imagined rollout is from what really happens in the maze.

use deepspi_worlds::maze::Action;
use serde::{Deserialize, Serialize};

use crate::dreaming::LookedAhead;

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
    /// What `latent` would be of a perfect model: a second real rollout of the same actions in its place.
    pub repeat_latent: Option<f64>,
    /// What `nearest` would be of a perfect model.
    pub repeat_nearest: f64,
    /// `|predicted probability - whether the episode has ended|`; none without a done predictor.
    pub end: Option<f64>,
}

/// What to imagine in a maze.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DreamPlan {
    /// The state where it begins.
    pub start: usize,
    /// The actions that are taken first.
    pub actions: Vec<Action>,
    /// Steps after them, whose actions the policy draws in the true states.
    pub follow: usize,
    /// Chance of the maze, of the world model and of the policy: the same plan with the same seed
    /// gives the same steps, and with more actions the same first ones.
    pub seed: u64,
}

/// Imagined steps in a maze, beside what really happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MazeDream {
    /// What was asked for.
    pub plan: DreamPlan,
    /// The actions that were taken, `[H]`: fewer than planned if the episode really ended before.
    pub actions: Vec<Action>,
    /// The true state after every step, `[H]`.
    pub states: Vec<usize>,
    /// The steps, `[H]`. The numbers of observations are states.
    pub looked: LookedAhead,
    /// Mean distance of the latents of two states; a distance means nothing without it.
    pub typical_distance: f64,
}
