//! Exact analysis of agents that play the maze: it connects the networks with `deepspi_theory`.
//!
//! The rules of the maze are in `deepspi_worlds`. The results are plain types of
//! `deepspi_run::maze`, so that the page can show them without a network.

mod assessment;
mod cells;
mod dream;
mod dreams;
mod latent_model;
mod probe;

pub use assessment::assess;
pub use cells::cells;
pub use dream::dream;
pub use dreams::dream_errors;
pub use probe::{ProbeError, probe};
