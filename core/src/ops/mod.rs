//! Tensor operations that burn 0.22 lacks, or that it computes too slowly.
//!
//! Each is a backend extension: a CPU kernel on plain slices, a GPU kernel (or a default body of burn
//! primitives where none is written yet), and a handwritten backward pass. Beside it stands its
//! definition as plain tensor operations. Kernels must agree with the definition; tests compare them,
//! and the gradients with finite differences (`core/tests/gpu.rs` on a graphics adapter).

pub mod adam;
pub mod choice;
pub mod conv;
mod cpu;
mod gpu;
pub mod group_sort;
pub mod join;
pub mod mixture;
pub mod policy_objective;
pub mod power_iteration;
pub mod smooth_l1;
