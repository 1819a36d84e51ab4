//! The maze of the paper ("confounding gridworld"; docs/theory.md, section 7).
//!
//! Two corridors look almost alike and end in a star each; going up from the upper star pays, going up
//! from the lower one costs dearly. A policy that cannot tell the stars apart is best off going
//! right. Whether a method separates them is what the experiment asks.
//!
//! [`Maze`] is the only source of the rules: the environment that trains ([`MazeEnvs`]), the pictures
//! ([`Maze::frame`]) and the exact analysis ([`Maze::mdp`], and what agents make of it) are derived from it.

mod config;
mod env;
mod render;
mod rules;

pub use config::{MazeConfig, MazeOverrides, MazePreset, MazeReset};
pub use env::MazeEnvs;
pub use rules::{ACTIONS, Action, Maze, Outcomes, Tile};
