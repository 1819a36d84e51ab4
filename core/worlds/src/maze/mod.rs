//! The maze of the paper ("confounding gridworld"; docs/theory.md, section 7).
//!
//! Two corridors look almost alike, and each ends in a star. Going up from the upper star is
//! rewarded; going up from the lower one has a large cost. The best policy that cannot distinguish
//! the stars goes right. The experiment tests whether a method distinguishes them.
//!
//! [`Maze`] must stay the only source of the rules: the training environment ([`MazeEnvs`]), the
//! pictures ([`Maze::frame`]) and the exact analysis ([`Maze::mdp`], and the analysis of agents)
//! are derived from it.

mod config;
mod env;
mod render;
mod rules;
mod view;

pub use config::{MazeConfig, MazeOverrides, MazePreset, MazeReset};
pub use env::{LIMIT, MazeEnvs};
pub use rules::{ACTIONS, Action, Maze, Outcomes, Tile};
pub use view::{MazeView, SeenMaze};
