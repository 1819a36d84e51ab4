//! Stride, padding and sizes of a convolution.

use burn::tensor::Shape;

use super::ConvForm;

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

/// All sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sizes {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub kernel_height: usize,
    pub kernel_width: usize,
    pub outputs: usize,
    pub out_height: usize,
    pub out_width: usize,
    pub stride: usize,
    /// Whether negative outputs are replaced by 0.
    pub relu: bool,
}

impl Sizes {
    pub fn new(images: &Shape, kernel: &Shape, form: ConvForm) -> Self {
        let [batch, height, width, channels] = sizes(images);
        let [kernel_height, kernel_width, kernel_channels, outputs] = sizes(kernel);
        assert_eq!(channels, kernel_channels, "convolution: image and kernel channels differ");
        let ConvForm { geometry, relu } = form;
        Self {
            batch,
            height,
            width,
            channels,
            kernel_height,
            kernel_width,
            outputs,
            out_height: geometry.output_len(height, kernel_height),
            out_width: geometry.output_len(width, kernel_width),
            stride: geometry.stride,
            relu,
        }
    }

    /// Positions of one output image.
    pub const fn positions(&self) -> usize {
        self.out_height * self.out_width
    }

    /// Numbers under the kernel at one position.
    pub const fn patch_len(&self) -> usize {
        self.kernel_height * self.kernel_width * self.channels
    }
}

/// A product for the gradient of the images computes one phase: see `gpu`.
#[cfg(feature = "gpu")]
impl Sizes {
    /// Pixels of one image in one phase, with those that would lie outside of it.
    pub const fn phase_pixels(&self) -> usize {
        self.height.div_ceil(self.stride) * self.width.div_ceil(self.stride)
    }

    /// Rows of taps that a pixel of one phase can be under.
    pub const fn phase_height(&self) -> usize {
        self.kernel_height.div_ceil(self.stride)
    }

    /// Columns of taps that a pixel of one phase can be under.
    pub const fn phase_width(&self) -> usize {
        self.kernel_width.div_ceil(self.stride)
    }
}
