//! Helpers of the GPU kernels: tensors as plain buffers, and sums over a workgroup.
//!
//! Kernels are written in CubeCL, which compiles them for every graphics API. They must work within
//! WebGPU's default limits (`shaders/README.md`): at most 8 buffers (seven for tensors, one for sizes and scalars), 16 KB of shared memory and 256
//! units a workgroup, no subgroups and no float atomics.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::ir::{ElemType, FloatKind, IntKind};
use burn::cubecl::prelude::*;
use burn::tensor::{DType, Shape};

/// A tensor on a GPU.
pub(super) type CubeTensor = FloatTensor<Cube>;

/// Units of a workgroup, WebGPU's largest number.
pub(super) const UNITS: usize = 256;

/// The workgroup of every kernel.
pub(super) fn workgroup() -> CubeDim {
    CubeDim::new_1d(UNITS as u32)
}

/// The same values in row-major order.
pub(super) fn contiguous(tensor: CubeTensor) -> CubeTensor {
    if tensor.is_contiguous() {
        return tensor;
    }
    let (client, device, dtype) = (tensor.client.clone(), tensor.device(), tensor.dtype());
    let elements = match dtype {
        DType::I32 => ElemType::Int(IntKind::I32),
        _ => ElemType::Float(FloatKind::F32),
    };
    let copy = cubecl::std::tensor::into_contiguous(&client, tensor.binding(), elements);
    CubeTensor::new(client, copy.handle, *copy.metadata, device, dtype)
}

/// A tensor on the device of `like`, with whatever its memory holds.
pub(super) fn uninitialised<const D: usize>(like: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let shape = Shape::from(shape);
    let handle = like.client.empty(shape.num_elements() * size_of::<f32>());
    let client = like.client.clone();
    CubeTensor::new_contiguous(client, like.device(), shape, handle, like.dtype())
}

/// Enough workgroups for `items` of work, one for each unit. No more than a grid may have in one
/// direction, so kernels must go on with the items that are left over.
pub(super) fn covering(items: usize) -> CubeCount {
    let workgroups = items.div_ceil(UNITS).clamp(1, 65_535);
    CubeCount::Static(workgroups as u32, 1, 1)
}

/// Sum of one number of each unit of a workgroup of [`UNITS`]; every unit gets it. All units must
/// call it. `shared` holds [`UNITS`] numbers.
#[cube]
pub(super) fn sum_of_units(value: f32, shared: &mut Shared<[f32]>) -> f32 {
    let unit = UNIT_POS as usize;
    shared[unit] = value;
    sync_cube();
    let mut half = 128usize;
    while half > 0usize {
        if unit < half {
            let other = shared[unit + half];
            shared[unit] += other;
        }
        sync_cube();
        half /= 2usize;
    }
    let sum = shared[0usize];
    // The next sum must not overwrite what a slower unit has still to read.
    sync_cube();
    sum
}
