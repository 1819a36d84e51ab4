//! Helpers of the CPU kernels: detecting the CPU, and reading tensors as slices.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Device, Shape};

/// Whether tensors on `device` are plain memory that the kernels of this module can read.
pub(crate) fn on_cpu(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// The same values in row-major order.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }
}

/// Values of a contiguous tensor.
pub(super) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("kernels make their inputs contiguous f32 tensors first")
}

/// A tensor from row-major values.
pub(super) fn float_tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::from(shape)), DType::F32)
}
