//! Optimisation of one flat vector of parameters: Adam, gradient clipping, and parameter groups
//! with their own settings.

mod adam;
mod clipping;
mod groups;

pub use adam::{Adam, AdamSettings};
pub use clipping::{clip_by_global_norm, total};
pub use groups::{GroupSettings, Optimiser, ParameterGroup};
