//! The memory that the runtime holds on a GPU.

#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::{Device, Tensor};

use crate::ops::cpu::on_cpu;
use crate::traffic::{read_floats, upload};

/// Memory of a GPU in MB, over all threads of this process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceMemory {
    /// In tensors that are alive.
    pub in_use: f32,
    /// Taken from the driver, with what is kept for later tensors.
    pub reserved: f32,
}

/// What a device holds now; nothing for the CPU.
///
/// # Errors
/// The device's own error.
pub async fn device_memory(device: &Device) -> Result<Option<DeviceMemory>, crate::Error> {
    if on_cpu(device) {
        return Ok(None);
    }
    // The dispatch finds the backend by a tensor, and an operation returns one.
    let anchor = upload(vec![0.0], [1], &device.clone().inner()).into_dispatch();
    let held: Tensor<1> = Tensor::from_dispatch(<Dispatch as MemoryOp>::held(anchor));
    let held = read_floats(held).await?;
    Ok(Some(DeviceMemory { in_use: held[0], reserved: held[1] }))
}

/// Dispatches [`device_memory`] to a GPU.
#[backend_extension(Cube: cfg(feature = "gpu"))]
trait MemoryOp: Backend {
    /// Memory in use and reserved, MB.
    fn held(anchor: FloatTensor<Self>) -> FloatTensor<Self>;
}
