//! `native bench`: many runs, as separate processes, in a folder that says how far each of them is.
//!
//! All state is on disk, so that any process, on any machine that sees the folder, can go on with a
//! sweep or tell how it stands: nothing of a sweep may live in memory only.

pub mod run_status;
pub mod suite;
pub mod sweep;

pub use run_status::{RunRecord, RunState, RunStatus};
pub use sweep::{RunId, Sweep};
