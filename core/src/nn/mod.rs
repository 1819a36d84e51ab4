//! Layers, their initial values and normalisation, and the agent: encoder, trunk and heads. The
//! networks of the world model are in [`crate::world_model`].
//!
//! Layout everywhere: images and latents `[B, H, W, C]`, convolution kernels `[KH, KW, C, O]`,
//! dense kernels `[in, out]`; a flattened latent runs over H, then W, then C. This order must not
//! change: saved weights and the golden values depend on it.

mod agent;
pub mod init;
mod layers;
pub mod spectral;

pub use agent::{Agent, PolicyValue};
pub use layers::{Conv, Dense, group_sort};
pub use spectral::{Spectral, StartVector};
