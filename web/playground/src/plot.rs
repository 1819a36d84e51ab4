//! The axis of the page's plots, until it has a crate of its own.

#[path = "../../src/plot/axis.rs"]
mod axis;
#[path = "../../src/plot/number.rs"]
mod number;

pub use axis::{Axis, Tick};
