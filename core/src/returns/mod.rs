//! Advantages and returns of a rollout, and how well the critic predicted the returns.

mod explained_variance;
mod gae;
mod v_trace;

pub use explained_variance::explained_variance;
pub use gae::{Advantages, gae};
pub use v_trace::{Steps, Weighting, v_trace};
