//! Utility and losses of every action in every state of a maze, as numbers.

use serde::{Deserialize, Serialize};

/// Utility and losses of every action in every state, next to a [`MazeReport`](super::MazeReport) of the same agent.
///
/// Tables `[S, A]`; their entries at terminal states are 0, as no action is taken there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MazeCells {
    /// What the exact advantage is divided by in `utility`; 1 where advantages are not normalised.
    pub deviation: f64,
    /// `U = A / deviation - alpha_R l_R - alpha_P l_P` (Eq. 6) with DeepSPI; with DeepMDP, whose losses
    /// stay outside the clip, and with PPO it is `A / deviation`.
    ///
    /// Training also subtracts the mean of the batch. The exact advantage has mean 0 under the
    /// policy's own steps, so nothing is subtracted here.
    pub utility: Vec<f64>,
    /// Losses of the world model; none where none is in use (PPO, or both coefficients 0).
    pub losses: Option<CellLosses>,
}

/// Losses of the world model, in the distances training uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellLosses {
    /// l_R, `[S, A]`.
    pub reward: Vec<f64>,
    /// l_P, `[S, A]`: expected over the outcomes of the maze. For a sampled density the mean of
    /// a few fixed draws.
    pub transition: Vec<f64>,
}
