//! Stride, padding and sizes of a convolution.

use burn::tensor::Shape;

/// Stride and padding of a convolution; kernel and image sizes come from the tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvGeometry {
    /// Step between patches, the same along both axes.
    pub stride: usize,
    /// Rows and columns of zeros appended at the bottom and at the right.
    pub pad_end: usize,
}

impl ConvGeometry {
    /// Output length along an axis of `input` pixels under a kernel of `kernel` pixels.
    #[must_use]
    pub const fn output_len(&self, input: usize, kernel: usize) -> usize {
        (input + self.pad_end - kernel) / self.stride + 1
    }
}

/// The four sizes of a shape known to have rank 4.
pub(super) fn sizes(shape: &Shape) -> [usize; 4] {
    shape.dims()
}
