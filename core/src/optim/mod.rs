//! Optimisation of one flat vector of parameters: Adam, gradient clipping, and parameter groups
//! with their own settings.

mod adam;
mod groups;
mod total;

pub use adam::{Adam, AdamSettings};
pub use groups::{GroupSettings, Optimiser, ParameterGroup};
pub use total::total;
