//! The GPU kernels against the CPU's, in value and gradient. Needs a graphics adapter, which may be a
//! software one (Mesa's lavapipe): without one the tests print SKIPPED and pass; with `CI=true` they
//! fail.

use std::io::Write;
use std::sync::OnceLock;

use burn::tensor::{Device, DeviceKind, Tensor, TensorData};
use deepspi_core::golden::fill::fill;
use deepspi_core::ops::power_iteration::{Matrices, divide_by_power_iteration};

/// The software adapter, else any adapter; opened once, because a second time is an error.
fn gpu() -> Option<Device> {
    static DEVICE: OnceLock<Option<Device>> = OnceLock::new();
    let device = DEVICE.get_or_init(|| {
        let open = |kind| Device::wgpu_options().device_kind(kind).init().ok();
        open(DeviceKind::Cpu).or_else(|| open(DeviceKind::DiscreteGpu(0)))
    });
    if device.is_none() {
        assert!(std::env::var("CI").is_err(), "no graphics adapter: install mesa-vulkan-drivers");
        drop(std::io::stderr().write_all(b"SKIPPED: no graphics adapter\n"));
    }
    device.clone()
}

fn tensor<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = fill(seed, shape.iter().product(), -0.5, 0.5);
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32")
}

/// Compares by the largest entry: entries near 0 are differences of larger numbers.
#[track_caller]
fn near(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    assert!(largest > 0.0, "{what}: nothing to compare");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{what}, entry {i}: {a}, not {b}");
    }
}

#[test]
fn power_iteration() {
    let Some(gpu) = gpu() else { return };
    for ([a, b], matrices) in [
        ([9, 5], Matrices::Whole),
        ([5, 9], Matrices::Whole),
        ([300, 7], Matrices::Whole),
        ([70, 300], Matrices::Whole),
        ([12, 7], Matrices::TransposedColumns(1)),
        ([270, 12], Matrices::TransposedColumns(3)),
        ([8, 600], Matrices::TransposedColumns(2)),
    ] {
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let device = device.clone().autodiff();
            let kernel = tensor(1, [a, b], &device).require_grad();
            let columns = if matrices == Matrices::Whole { b } else { a };
            let start = tensor(2, [columns], &device);
            let divided = divide_by_power_iteration(kernel.clone(), start, matrices);
            let grads = (divided.clone() * tensor(3, [a, b], &device)).sum().backward();
            [read(divided.inner()), read(kernel.grad(&grads).expect("tracked"))]
        });
        for (i, what) in ["value", "gradient"].into_iter().enumerate() {
            near(&found[i], &expected[i], 1e-4, &format!("{what} of {a} x {b}, {matrices:?}"));
        }
    }
}
