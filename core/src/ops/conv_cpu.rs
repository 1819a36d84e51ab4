//! CPU kernels of [`super::conv`]: patches of one image at a time, then one matrix product.
//!
//! An image's patch matrix (400 x 256 numbers for the first Atari layer) fits into the second-level
//! cache, which the whole batch's does not; nothing of it is kept between forward and backward.
//! Sums over images run in an order fixed by the batch size, so results do not depend on threads.

use burn::backend::flex::FlexTensor;
use burn::tensor::Shape;
use deepspi_worlds::parallel::for_each_chunk;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::conv_geometry::{ConvGeometry, sizes};
use super::cpu::{float_tensor, values};

/// Partial sums of the kernel gradient: enough for all cores of a desktop, few enough to add up.
const KERNEL_GRAD_PARTS: usize = 16;

/// All sizes of one convolution.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    height: usize,
    width: usize,
    channels: usize,
    kernel_height: usize,
    kernel_width: usize,
    outputs: usize,
    out_height: usize,
    out_width: usize,
    stride: usize,
}

impl Sizes {
    fn new(images: &Shape, kernel: &Shape, geometry: ConvGeometry) -> Self {
        let [batch, height, width, channels] = sizes(images);
        let [kernel_height, kernel_width, kernel_channels, outputs] = sizes(kernel);
        assert_eq!(channels, kernel_channels, "convolution: image and kernel channels differ");
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
        }
    }

    const fn positions(&self) -> usize {
        self.out_height * self.out_width
    }

    const fn patch_len(&self) -> usize {
        self.kernel_height * self.kernel_width * self.channels
    }

    const fn image_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    const fn output_len(&self) -> usize {
        self.positions() * self.outputs
    }

    /// Visits each row of each patch inside the image: `(range in the image, range in the patches)`.
    fn for_each_run(&self, mut visit: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>)) {
        for y in 0..self.out_height {
            for x in 0..self.out_width {
                let patch = (y * self.out_width + x) * self.patch_len();
                let left = x * self.stride;
                let columns = self.kernel_width.min(self.width - left);
                for ky in 0..self.kernel_height.min(self.height - y * self.stride) {
                    let source = ((y * self.stride + ky) * self.width + left) * self.channels;
                    let target = patch + ky * self.kernel_width * self.channels;
                    let len = columns * self.channels;
                    visit(source..source + len, target..target + len);
                }
            }
        }
    }

    /// `patches` `[positions, patch_len]`; cells over the padding must be 0 already.
    fn gather(&self, image: &[f32], patches: &mut [f32]) {
        self.for_each_run(|source, target| patches[target].copy_from_slice(&image[source]));
    }

    /// Adjoint of [`Self::gather`]: adds `patches` into `image`.
    fn scatter(&self, patches: &[f32], image: &mut [f32]) {
        self.for_each_run(|source, target| {
            for (pixel, value) in image[source].iter_mut().zip(&patches[target]) {
                *pixel += value;
            }
        });
    }
}

pub fn forward(
    images: &FlexTensor,
    kernel: &FlexTensor,
    bias: &FlexTensor,
    geometry: ConvGeometry,
) -> FlexTensor {
    let s = Sizes::new(images.layout().shape(), kernel.layout().shape(), geometry);
    let (images, kernel, bias) =
        (images.to_contiguous(), kernel.to_contiguous(), bias.to_contiguous());
    let (image_data, kernel_data, bias) = (values(&images), values(&kernel), values(&bias));
    let kernel = MatRef::from_row_major_slice(kernel_data, s.patch_len(), s.outputs);
    let mut output = vec![0.0; s.batch * s.output_len()];
    let per_task = images_per_task(s.batch);
    for_each_chunk(&mut output, per_task * s.output_len(), |task, chunk| {
        let mut patches = vec![0.0; s.positions() * s.patch_len()];
        for (i, out) in chunk.chunks_mut(s.output_len()).enumerate() {
            let start = (task * per_task + i) * s.image_len();
            s.gather(&image_data[start..start + s.image_len()], &mut patches);
            out.chunks_mut(s.outputs).for_each(|pixel| pixel.copy_from_slice(bias));
            matmul(
                MatMut::from_row_major_slice_mut(out, s.positions(), s.outputs),
                Accum::Add,
                MatRef::from_row_major_slice(&patches, s.positions(), s.patch_len()),
                kernel,
                1.0,
                Par::Seq,
            );
        }
    });
    float_tensor(output, [s.batch, s.out_height, s.out_width, s.outputs])
}

pub fn kernel_grad(
    images: &FlexTensor,
    kernel: &Shape,
    output_grad: &FlexTensor,
    geometry: ConvGeometry,
) -> FlexTensor {
    let s = Sizes::new(images.layout().shape(), kernel, geometry);
    let (images, output_grad) = (images.to_contiguous(), output_grad.to_contiguous());
    let (image_data, grad_data) = (values(&images), values(&output_grad));
    let kernel_len = s.patch_len() * s.outputs;
    let per_part = s.batch.div_ceil(KERNEL_GRAD_PARTS);
    let mut parts = vec![0.0; s.batch.div_ceil(per_part) * kernel_len];
    for_each_chunk(&mut parts, kernel_len, |part, sum| {
        let mut patches = vec![0.0; s.positions() * s.patch_len()];
        for i in part * per_part..((part + 1) * per_part).min(s.batch) {
            s.gather(&image_data[i * s.image_len()..(i + 1) * s.image_len()], &mut patches);
            let grad = &grad_data[i * s.output_len()..(i + 1) * s.output_len()];
            matmul(
                MatMut::from_row_major_slice_mut(&mut *sum, s.patch_len(), s.outputs),
                Accum::Add,
                MatRef::from_row_major_slice(&patches, s.positions(), s.patch_len()).transpose(),
                MatRef::from_row_major_slice(grad, s.positions(), s.outputs),
                1.0,
                Par::Seq,
            );
        }
    });
    let (total, rest) = parts.split_at_mut(kernel_len);
    for part in rest.chunks(kernel_len) {
        for (sum, value) in total.iter_mut().zip(part) {
            *sum += value;
        }
    }
    parts.truncate(kernel_len);
    float_tensor(parts, sizes(kernel))
}

pub fn images_grad(
    images: &Shape,
    kernel: &FlexTensor,
    output_grad: &FlexTensor,
    geometry: ConvGeometry,
) -> FlexTensor {
    let s = Sizes::new(images, kernel.layout().shape(), geometry);
    let (kernel, output_grad) = (kernel.to_contiguous(), output_grad.to_contiguous());
    let (kernel_data, grad_data) = (values(&kernel), values(&output_grad));
    let kernel = MatRef::from_row_major_slice(kernel_data, s.patch_len(), s.outputs);
    let mut image_grad = vec![0.0; s.batch * s.image_len()];
    let per_task = images_per_task(s.batch);
    for_each_chunk(&mut image_grad, per_task * s.image_len(), |task, chunk| {
        let mut patches = vec![0.0; s.positions() * s.patch_len()];
        for (i, image) in chunk.chunks_mut(s.image_len()).enumerate() {
            let start = (task * per_task + i) * s.output_len();
            let grad = &grad_data[start..start + s.output_len()];
            matmul(
                MatMut::from_row_major_slice_mut(&mut patches, s.positions(), s.patch_len()),
                Accum::Replace,
                MatRef::from_row_major_slice(grad, s.positions(), s.outputs),
                kernel.transpose(),
                1.0,
                Par::Seq,
            );
            s.scatter(&patches, image);
        }
    });
    float_tensor(image_grad, sizes(images))
}

/// Enough tasks to keep all threads busy to the end, large enough to reuse the patch buffer.
fn images_per_task(batch: usize) -> usize {
    batch.div_ceil(32).max(1)
}
