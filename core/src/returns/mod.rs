//! Advantages and returns of a rollout, and how well the critic predicted the returns.

mod explained_variance;
mod gae;

pub use explained_variance::explained_variance;
pub use gae::{Advantages, gae};
