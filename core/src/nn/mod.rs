//! Networks of DeepSPI: encoder, trunk and heads, and the latent world model.
//!
//! Layout everywhere: images and latents `[B, H, W, C]`, convolution kernels `[KH, KW, C, O]`, dense
//! kernels `[in, out]`; a flattened latent runs over H, then W, then C. Saved weights and the golden
//! values depend on that order.

mod agent;
pub mod init;
mod layers;
mod model;
mod reward;
pub mod spectral;
mod transition;

pub use agent::{Agent, PolicyValue};
pub use layers::{Conv, Dense, group_sort};
pub use model::{Model, WorldModel};
pub use reward::RewardNetwork;
pub use spectral::{Spectral, StartVector};
pub use transition::{Prediction, TransitionNetwork, TransitionOutput, components};
