//! Tensor operations that burn 0.22 does not have, or does not have fast enough on the CPU.
//!
//! Each is a backend extension: a default body of burn primitives (what a GPU runs), a CPU kernel
//! on plain slices, and a handwritten backward pass. The CPU kernel must agree with the default
//! body; `tests` compare them, and gradients with finite differences.

pub mod adam;
pub mod conv;
mod conv_cpu;
mod conv_geometry;
mod cpu;
pub mod mixture;
