//! The exact analysis of agents that play the maze: networks on one side, theory on the other.
//!
//! The maze itself is in `deepspi_worlds`, the numbers that come out of here are types of
//! `deepspi_run::maze`.

mod assessment;
mod cells;
mod latent_model;
mod probe;

pub use assessment::assess;
pub use cells::cells;
pub use probe::{ProbeError, probe};
