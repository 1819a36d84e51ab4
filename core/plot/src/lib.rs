//! Axes, numbers and colours of charts: what the figures of `native` and the charts of the page share.
//!
//! Both decide in one place where ticks are, how a number is written and which colour a value has. The
//! crate knows neither pixels nor files nor a DOM, and has no dependencies, so that the page stays small.
//! Committed figures are drawn with it: a change of a range, a label or a colour changes them.

mod axis;
pub mod colour;
mod number;

pub use axis::{Axis, Scale, Tick};
pub use number::{decimal, fixed, number, scientific, thousands, tick_labels};
