//! What a rollout is worth: advantages and returns, and how well the critic predicted them.

mod explained_variance;
mod gae;

pub use explained_variance::explained_variance;
pub use gae::{Advantages, gae};
