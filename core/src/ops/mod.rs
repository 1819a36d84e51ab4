//! Tensor operations that burn 0.22 lacks, or that it computes too slowly.
//!
//! Each is a backend extension: a GPU kernel, a CPU kernel on plain slices (or burn's operations where
//! they are good ones), and, where it is differentiated, a handwritten backward pass. Its definition, plain
//! tensor operations, stands beside it as `composed`, or in its test. Kernels must agree with the
//! definition; tests compare them in value and gradient, on a graphics adapter in `core/tests/gpu.rs`.
//! `broken` lets a test break each of them.

pub mod adam;
#[cfg(feature = "gpu")]
mod broken;
pub mod choice;
#[cfg_attr(
    not(feature = "gpu"),
    expect(unused_variables, reason = "this operation is for GPUs alone")
)]
pub mod chosen_convolution;
pub mod conv;
mod cpu;
#[cfg_attr(
    not(feature = "gpu"),
    expect(unused_variables, reason = "this operation is for GPUs alone")
)]
pub(crate) mod frames;
#[cfg(feature = "gpu")]
mod gpu;
pub mod group_sort;
pub mod heads;
#[cfg_attr(
    not(feature = "gpu"),
    expect(unused_variables, reason = "this operation is for GPUs alone")
)]
pub mod join;
pub mod memory;
pub mod mixture;
pub mod noise;
pub mod policy_objective;
pub mod power_iteration;
pub mod smooth_l1;
mod total;
pub mod transition_target;

use burn::tensor::{Device, Tensor};

pub(crate) use self::cpu::on_cpu;
pub(crate) use self::total::total;

/// A constant, made without autodiff, as a tensor of `device`, which may be one with autodiff.
pub(crate) fn constant_on<const D: usize>(constant: Tensor<D>, device: &Device) -> Tensor<D> {
    if device.clone().inner() == *device { constant } else { constant.autodiff() }
}

/// Numbers between possible starts of the parts of a vector that a GPU reads without copies: 256 bytes,
/// the largest distance that WebGPU lets a device ask for between bindings of one buffer.
pub const ALIGNMENT: usize = 64;
