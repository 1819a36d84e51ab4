//! Tensor operations that burn 0.22 lacks, or that it computes too slowly on the CPU.
//!
//! Each is a backend extension: a default body of burn primitives (the version for GPUs), a CPU
//! kernel on plain slices, and a handwritten backward pass. The CPU kernel must agree with the
//! default body; tests compare the two, and the gradients with finite differences.

pub mod adam;
pub mod conv;
mod conv_cpu;
mod conv_geometry;
mod cpu;
pub mod mixture;
