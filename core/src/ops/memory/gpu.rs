//! The memory of a GPU, as its runtime reports it.

use burn::backend::ops::FloatTensorOps;
use burn::backend::{Cube, TensorMetadata};
use burn::cubecl::MemoryScope;
use burn::tensor::TensorData;

use super::MemoryOp;
use crate::ops::gpu::CubeTensor;

impl MemoryOp for Cube {
    fn held(anchor: CubeTensor) -> CubeTensor {
        let usage = anchor.client.memory_report(MemoryScope::Device).usage();
        let megabytes = [usage.bytes_in_use, usage.bytes_reserved].map(|bytes| bytes as f32 / 1e6);
        Self::float_from_data(TensorData::new(megabytes.to_vec(), [2]), &anchor.device())
    }
}
