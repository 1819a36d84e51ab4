//! Axes, numbers and colours of charts, shared by the figures of `native` and the charts of the
//! page.
//!
//! Ticks, number formats and colours are defined here once for both. The crate must not depend on
//! pixels, files or a DOM, and has no dependencies, so that the page stays small. The committed
//! figures are drawn with it: a change of a range, a label or a colour changes them.

mod axis;
pub mod colour;
mod number;

pub use axis::{Axis, Scale, Tick};
pub use number::{decimal, fixed, number, scientific, thousands, tick_labels};
