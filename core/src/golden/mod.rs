//! Comparison with the authors' implementation, number by number.
//!
//! A golden file holds what the authors' JAX code computes for one minibatch: losses, gradients and
//! parameters after one step. It does not store parameters and inputs: a counter-based generator
//! ([`fill`]) makes them again, so that a file can have any batch size, action count, channel count
//! and seed. The generator must never change.

mod check;
mod compare;
mod file;
pub mod fill;
mod inputs;
mod names;

pub use check::run;
pub use compare::Check;
pub use file::{GoldenError, GoldenFile};
