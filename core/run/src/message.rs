//! The messages from the trainer to a front end. They must not depend on a terminal or a page.

use deepspi_worlds::maze::Maze;
use serde::{Deserialize, Serialize};

use crate::batch_view::BatchView;
use crate::certificate::Certificate;
use crate::maze::MazeReport;
use crate::metrics::Metrics;
use crate::monitor::{Episode, RatioBounds};

/// One event of a run; messages are emitted in the order of the events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    /// An episode of a game ended.
    Episode(Episode),
    /// A rollout and its updates are complete.
    Iteration(Box<Iteration>),
    /// The batch of that iteration, if the trainer was asked to report it.
    Batch(Box<BatchView>),
    /// The exact evaluation of an agent of the maze after an iteration.
    Maze(MazeStatus),
    /// A checkpoint was stored safely.
    CheckpointWritten {
        /// Agent steps it contains.
        global_step: u64,
        /// Where it is.
        location: String,
    },
    /// Something that the user should know; the run continues.
    Warning {
        /// One sentence.
        text: String,
    },
    /// The run stops.
    Failure {
        /// One sentence.
        text: String,
    },
}

/// The exact evaluation of an agent of the maze.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MazeStatus {
    /// Agent steps so far.
    pub global_step: u64,
    /// V(s_I) of the stochastic policy.
    pub start_value: f64,
    /// Mean squared difference of the two stars' latents.
    pub star_distance: f64,
    /// Distance of the two stars' latents relative to their lengths.
    pub relative_star_distance: f64,
    /// Probability of going up at the upper and at the lower star.
    pub up_at_stars: [f64; 2],
}

impl MazeStatus {
    /// The status from a report.
    #[must_use]
    pub fn new(report: &MazeReport, maze: &Maze, global_step: u64) -> Self {
        Self {
            global_step,
            start_value: report.start_value,
            star_distance: report.star_distance,
            relative_star_distance: report.relative_star_distance,
            up_at_stars: report.up_at_stars(maze),
        }
    }
}

/// A finished iteration: T steps in N environments, then all updates on them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Iteration {
    /// Index from 0.
    pub iteration: u64,
    /// Agent steps so far.
    pub global_step: u64,
    /// Learning rate of this iteration.
    pub learning_rate: f64,
    /// The last minibatch, as the authors log it.
    pub last: Metrics,
    /// Mean over all minibatches of the iteration.
    pub mean: Metrics,
    /// Explained variance of the returns by the values that collected the rollout.
    pub explained_variance: f32,
    /// Importance ratios between the behaviour policy and the policy after the update.
    pub ratios: RatioBounds,
    /// The bound of Theorem 3; only of certified runs.
    #[serde(default)]
    pub certificate: Option<Certificate>,
    /// Mean over environments of the return of the last finished game, 0 before the first one: the
    /// authors' training score, which is biased towards 0 early in a run.
    pub avg_episodic_return: f64,
    /// The same mean over environments that have finished a game; none before the first one.
    pub finished_return: Option<f64>,
    /// Mean length of those games; 0 before the first one.
    pub avg_episodic_length: f64,
    /// Games finished so far.
    pub episodes: u64,
}
