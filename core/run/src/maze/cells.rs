//! Utility and losses of every action in every state of a maze, as plain numbers.

use serde::{Deserialize, Serialize};

/// Utility and losses of every action in every state, next to a [`MazeReport`](super::MazeReport)
/// of the same agent.
///
/// All tables are `[S, A]`; entries at terminal states are 0, because no action is taken there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MazeCells {
    /// The divisor of the exact advantage in `utility`; 1 if advantages are not normalised.
    pub deviation: f64,
    /// `U = A / deviation - alpha_R l_R - alpha_P l_P` (Eq. 6) with DeepSPI. With PPO, and with
    /// DeepMDP, whose losses stay outside the clip, it is `A / deviation`.
    ///
    /// Training also subtracts the mean of the batch. The exact advantage has mean 0 over the
    /// policy's own steps, so nothing is subtracted here.
    pub utility: Vec<f64>,
    /// Losses of the world model; none if no world model is used (PPO, or both coefficients 0).
    pub losses: Option<CellLosses>,
}

/// Losses of the world model, with the distances that training uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellLosses {
    /// l_R, `[S, A]`.
    pub reward: Vec<f64>,
    /// l_P, `[S, A]`: expected over the next states of the maze. For a sampled density it is the
    /// mean over a few fixed samples.
    pub transition: Vec<f64>,
}
