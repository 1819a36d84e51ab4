//! Convolutions on plain slices: they gather the patches of one image at a time, then compute one
//! matrix product.
//!
//! The patch matrix of one image (400 x 256 numbers for the first Atari layer) fits into the
//! second-level cache; that of the whole batch does not. No patches are kept between forward and
//! backward pass. The order of sums over images must depend on the batch size only, so that results
//! do not depend on the number of threads.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Shape;
use deepspi_worlds::parallel::for_each_chunk;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::geometry::{Sizes, sizes};
use super::{ConvForm, ConvKernels};
use crate::ops::cpu::{contiguous, float_tensor, values};

/// Number of partial sums of the kernel gradient: enough for all cores of a desktop, few enough to
/// add up quickly.
const KERNEL_GRAD_PARTS: usize = 16;

impl Sizes {
    const fn image_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    const fn output_len(&self) -> usize {
        self.positions() * self.outputs
    }

    /// Visits each row of each patch inside the image:
    /// `(range in the image, range in the patches)`.
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

    /// Fills `patches` `[positions, patch_len]`; entries over the padding must already be 0.
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

impl ConvKernels for Flex {
    fn forward(
        images: FlexTensor,
        kernel: FlexTensor,
        bias: FlexTensor,
        form: ConvForm,
    ) -> FlexTensor {
        let s = Sizes::new(images.layout().shape(), kernel.layout().shape(), form);
        forward(&contiguous(images), &contiguous(kernel), &contiguous(bias), s)
    }

    fn grads(
        images: FlexTensor,
        kernel: FlexTensor,
        output: FlexTensor,
        output_grad: FlexTensor,
        form: ConvForm,
        wants_images: bool,
    ) -> (Option<FlexTensor>, FlexTensor, FlexTensor) {
        let s = Sizes::new(images.layout().shape(), kernel.layout().shape(), form);
        let [images, kernel, mut grad] = [images, kernel, output_grad].map(contiguous);
        if s.relu {
            grad = where_positive(&contiguous(output), &grad);
        }
        let images_shape = images.layout().shape().clone();
        let kernel_grad = kernel_grad(&images, kernel.layout().shape(), &grad, s);
        let bias_grad = bias_grad(&grad, s.outputs);
        let images_grad = wants_images.then(|| images_grad(&images_shape, &kernel, &grad, s));
        (images_grad, kernel_grad, bias_grad)
    }
}

/// The gradient before ReLU from the gradient after it.
fn where_positive(output: &FlexTensor, grad: &FlexTensor) -> FlexTensor {
    /// Numbers of one piece of work.
    const CHUNK: usize = 16_384;
    let (output, grad_values) = (values(output), values(grad));
    let mut masked = vec![0.0; output.len()];
    for_each_chunk(&mut masked, CHUNK, |chunk, masked| {
        let start = chunk * CHUNK;
        for ((masked, output), grad) in
            masked.iter_mut().zip(&output[start..]).zip(&grad_values[start..])
        {
            *masked = if *output > 0.0 { *grad } else { 0.0 };
        }
    });
    float_tensor(masked, sizes(grad.layout().shape()))
}

/// Sums over all positions of all images.
fn bias_grad(grad: &FlexTensor, outputs: usize) -> FlexTensor {
    let grad = values(grad);
    let rows = grad.len() / outputs;
    // A fixed number of parts, so that the result does not depend on the number of threads.
    let per_part = rows.div_ceil(KERNEL_GRAD_PARTS);
    let mut parts = vec![0.0; rows.div_ceil(per_part) * outputs];
    for_each_chunk(&mut parts, outputs, |part, sum| {
        let rows =
            &grad[part * per_part * outputs..grad.len().min((part + 1) * per_part * outputs)];
        for row in rows.chunks(outputs) {
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
    });
    let mut total = vec![0.0; outputs];
    for part in parts.chunks(outputs) {
        total.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
    }
    float_tensor(total, [outputs])
}

fn forward(images: &FlexTensor, kernel: &FlexTensor, bias: &FlexTensor, s: Sizes) -> FlexTensor {
    let (image_data, kernel_data, bias) = (values(images), values(kernel), values(bias));
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
            if s.relu {
                out.iter_mut().for_each(|x| *x = x.max(0.0));
            }
        }
    });
    float_tensor(output, [s.batch, s.out_height, s.out_width, s.outputs])
}

fn kernel_grad(
    images: &FlexTensor,
    kernel: &Shape,
    output_grad: &FlexTensor,
    s: Sizes,
) -> FlexTensor {
    let (image_data, grad_data) = (values(images), values(output_grad));
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

fn images_grad(
    images: &Shape,
    kernel: &FlexTensor,
    output_grad: &FlexTensor,
    s: Sizes,
) -> FlexTensor {
    let (kernel_data, grad_data) = (values(kernel), values(output_grad));
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

/// Images per task: small enough to keep all threads busy to the end, large enough to reuse the
/// patch buffer.
fn images_per_task(batch: usize) -> usize {
    batch.div_ceil(32).max(1)
}
