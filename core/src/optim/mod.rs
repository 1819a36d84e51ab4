//! Optimisation of one flat vector of parameters: Adam, gradient clipping, and parameter groups
//! with their own settings.

mod adam;
mod groups;

pub use adam::{Adam, AdamSettings};
pub use groups::{GroupSettings, Optimiser, ParameterGroup};
