//! Optimisation over one flat vector of parameters: Adam, clipping, and groups with settings of their own.

mod adam;
mod clipping;
mod groups;

pub use adam::{Adam, AdamSettings};
pub use clipping::{clip_by_global_norm, total};
pub use groups::{GroupSettings, Optimiser, ParameterGroup};
