//! Layers, their initial values and normalisation, and the agent: encoder, trunk and heads. The
//! networks of the world model are in [`crate::world_model`].
//!
//! Layout everywhere: images and latents `[B, H, W, C]`, convolution kernels `[KH, KW, C, O]`,
//! dense kernels `[in, out]`; a flattened latent runs over H, then W, then C. This order must not
//! change: saved weights and the golden values depend on it.

mod activation;
mod agent;
pub mod attention;
pub mod categorical;
pub mod encoder;
pub mod init;
mod layer_norm;
mod layers;
pub mod perceptron;
pub mod spectral;
pub mod tokens;
pub mod trunk;

pub use activation::{activate, slope};
pub use agent::{Agent, CriticNetwork, PolicyValue};
pub use layer_norm::layer_norm;
pub use layers::{Conv, Dense, group_sort};
pub use spectral::{Spectral, StartVector};
