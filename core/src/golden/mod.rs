//! Agreement with the authors' implementation, number by number.
//!
//! A golden file holds what the authors' JAX code computes for one minibatch: losses, gradients and
//! parameters after one step. Parameters and inputs are not stored but come from a counter-based
//! fill ([`fill`]), so any batch size, action count, channel count and seed offset can be checked.

mod check;
mod file;
pub mod fill;

pub use check::{Check, run};
pub use file::{GoldenError, GoldenFile};
