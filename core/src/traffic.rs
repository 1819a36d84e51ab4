//! What crosses between host and device: tensors made from numbers of the host, and reads that the
//! host waits for.
//!
//! On a GPU both cost far more than their bytes, so they are counted: `native speed` reports them.
//! Everything that runs once an update or once an environment step must create its tensors with
//! [`upload`] and read with [`read_floats`], or the counts are too small.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use burn::tensor::{Device, Element, Int, Tensor, TensorData};

use crate::Error;

static UPLOADED_BYTES: AtomicU64 = AtomicU64::new(0);
static HOST_WAITS: AtomicU64 = AtomicU64::new(0);

/// Counts of this process since its start, over all devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of tensors made from numbers of the host.
    pub uploaded_bytes: u64,
    /// Reads that waited for the device.
    pub host_waits: u64,
}

impl Traffic {
    /// The counts so far.
    #[must_use]
    pub fn so_far() -> Self {
        Self { uploaded_bytes: UPLOADED_BYTES.load(Relaxed), host_waits: HOST_WAITS.load(Relaxed) }
    }

    /// The counts since an earlier call of [`Self::so_far`].
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            uploaded_bytes: self.uploaded_bytes - earlier.uploaded_bytes,
            host_waits: self.host_waits - earlier.host_waits,
        }
    }
}

/// A tensor of the given shape on `device`, from numbers of the host in row-major order.
#[must_use]
pub fn upload<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(counted(values, shape), device)
}

/// [`upload`] for whole numbers.
#[must_use]
pub fn upload_ints<const D: usize>(
    values: Vec<i32>,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D, Int> {
    Tensor::from_data(counted(values, shape), device)
}

fn counted<E: Element, const D: usize>(values: Vec<E>, shape: [usize; D]) -> TensorData {
    UPLOADED_BYTES.fetch_add(size_of_val(values.as_slice()) as u64, Relaxed);
    TensorData::new(values, shape)
}

/// Reads a tensor from the device without blocking, as a browser requires.
///
/// # Errors
/// The device's own error.
pub async fn read_floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Error> {
    HOST_WAITS.fetch_add(1, Relaxed);
    let data =
        tensor.into_data_async().await.map_err(|error| Error::of_device(&format!("{error:?}")))?;
    data.try_into_vec().map_err(|error| Error::of_device(&format!("{error:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_and_reads_are_counted() {
        // Other tests count in the same process, so the counts may be larger.
        let before = Traffic::so_far();
        let device = Device::flex();
        let tensor = upload(vec![1.0, 2.0, 3.0], [3], &device);
        assert_eq!(upload_ints(vec![1, 2], [1, 2], &device).dims(), [1, 2]);
        let read = pollster::block_on(read_floats(tensor)).expect("read");
        assert_eq!(read, [1.0, 2.0, 3.0]);
        let traffic = Traffic::so_far().since(before);
        assert!(traffic.uploaded_bytes >= 20 && traffic.host_waits >= 1, "{traffic:?}");
    }
}
