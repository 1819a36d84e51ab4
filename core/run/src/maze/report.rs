//! Policy, values and latents of an agent in every state of a maze, as plain numbers.

use deepspi_worlds::maze::{ACTIONS, Maze};
use serde::{Deserialize, Serialize};

/// Policy, values and latents of an agent in every state of a maze.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MazeReport {
    /// Exact value of the *stochastic* policy at the start, V(s_I).
    pub start_value: f64,
    /// Mean over latent dimensions of the squared difference of the two stars' latents: the
    /// quantity of the paper's figure 4.
    pub star_distance: f64,
    /// Euclidean distance of the two stars' latents divided by the root mean square of their
    /// lengths: 0 if merged, of the order of 1 if separated. It does not depend on the scale of the
    /// latents.
    pub relative_star_distance: f64,
    /// Policy `[S, A]`.
    pub policy: Vec<f64>,
    /// Exact values of the policy `[S]`.
    pub values: Vec<f64>,
    /// Exact action values of the policy `[S, A]`; 0 at terminal states.
    pub q: Vec<f64>,
    /// Exact advantages of the policy `[S, A]`; 0 at terminal states.
    pub advantage: Vec<f64>,
    /// The critic's values `[S]`.
    pub critic: Vec<f64>,
    /// Latents `[S, D]`.
    pub latents: Vec<f32>,
}

impl MazeReport {
    /// Probability of going up at the upper and at the lower star.
    #[must_use]
    pub fn up_at_stars(&self, maze: &Maze) -> [f64; 2] {
        maze.stars().map(|star| self.policy[star * ACTIONS])
    }

    /// Latent of each state.
    pub fn latent(&self, state: usize) -> &[f32] {
        let width = self.latents.len() / self.values.len();
        &self.latents[state * width..][..width]
    }
}
