//! The worker: trainers, devices, checkpoints.

/// Starts the worker.
pub fn start() {}
