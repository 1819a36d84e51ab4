//! The data an algorithm learns from: what the environments returned, and minibatches of it.

pub mod frames;
pub mod minibatch;
pub mod replay;
pub mod replay_bytes;
pub mod rollout;
