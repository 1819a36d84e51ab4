//! Convolutions on a GPU as products of matrices that are never stored: each workgroup gathers tiles
//! of patches into shared memory and multiplies them. Three products have the same body:
//!
//! ```text
//!                    row                    column      sum over
//! forward            output position        output      the patch
//! kernel gradient    entry of the patch     output      output positions, in parts
//! images gradient    pixel                  channel     taps and outputs
//! ```
//!
//! Under a stride S the taps that reach a pixel depend on its phase, its place modulo S. Pixels of one
//! phase are computed together, with their taps alone: otherwise all but one of S^2 terms would be 0.
//!
//! The kernel gradient has one more row, a patch of ones: that is the gradient of the bias. Long sums
//! of few results are cut into parts, which a second kernel adds: otherwise a few workgroups would do
//! all the work, and a sum of 100,000 terms one after another loses four digits. Where the convolution
//! ends with ReLU, the gradient of the output counts where the output is positive; it is masked when it
//! is read.

use burn::backend::ops::FloatTensorOps;
use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;
use burn::tensor::Shape;

use super::geometry::Sizes;
use super::{ConvForm, ConvKernels};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{CubeTensor, UNITS, contiguous, covering, uninitialised, workgroup};

/// Rows and columns of the part of a tile that one unit computes.
const OWN: usize = 4;
/// Workgroups among which the kernel gradient is divided, about.
const WANTED_WORKGROUPS: usize = 256;
/// Longest sum of a forward product that is not cut, and length of its parts otherwise, about.
const LONGEST_SUM: usize = 1024;

/// Which of the three products is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Forward,
    KernelGrad,
    ImagesGrad,
}

/// A product and the tiles it is cut into: what a kernel is compiled for. Nothing here may depend on
/// the number of images, which differs from update to update where equal images are computed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Product {
    kind: Kind,
    /// Without the number of images.
    sizes: Sizes,
    columns: usize,
    tile_rows: usize,
    tile_columns: usize,
    /// Terms of the sums that are in shared memory at a time.
    step: usize,
}

/// The sizes that depend on the number of images.
#[derive(Clone, Copy, Debug)]
struct Extent {
    rows: usize,
    /// Length of the sums.
    depth: usize,
    /// Parts of the sums, each computed by other workgroups, and the length of a part.
    parts: usize,
    part: usize,
}

impl Product {
    fn new(kind: Kind, sizes: Sizes) -> (Self, Extent) {
        let s = sizes;
        let (rows, columns, depth) = match kind {
            Kind::Forward => (s.batch * s.positions(), s.outputs, s.patch_len()),
            Kind::KernelGrad => (s.patch_len() + 1, s.outputs, s.batch * s.positions()),
            // Of one phase.
            Kind::ImagesGrad => (
                s.batch * s.phase_pixels(),
                s.channels,
                s.phase_height() * s.phase_width() * s.outputs,
            ),
        };
        // Narrow results get high tiles: all have 4,096 entries, 16 for each unit.
        let (tile_rows, tile_columns, step) = match columns {
            0..=16 => (256, 16, 8),
            17..=32 => (128, 32, 16),
            _ => (64, 64, 16),
        };
        let tiles = rows.div_ceil(tile_rows) * columns.div_ceil(tile_columns);
        let parts = match kind {
            Kind::KernelGrad => (WANTED_WORKGROUPS / tiles).clamp(1, depth.div_ceil(64)),
            Kind::Forward if tiles < WANTED_WORKGROUPS / 2 => depth.div_ceil(LONGEST_SUM),
            Kind::Forward | Kind::ImagesGrad => 1,
        };
        let part = depth.div_ceil(parts).next_multiple_of(step);
        let parts = depth.div_ceil(part);
        let sizes = Sizes { batch: 0, ..sizes };
        let product = Self { kind, sizes, columns, tile_rows, tile_columns, step };
        (product, Extent { rows, depth, parts, part })
    }

    fn workgroups(&self, extent: Extent) -> CubeCount {
        let rows = extent.rows.div_ceil(self.tile_rows) as u32;
        let columns = self.columns.div_ceil(self.tile_columns) as u32;
        let layers = match self.kind {
            Kind::ImagesGrad => self.sizes.stride * self.sizes.stride,
            Kind::Forward | Kind::KernelGrad => extent.parts,
        };
        CubeCount::Static(rows, columns, layers as u32)
    }

    /// Numbers of the result: `[parts, rows, columns]`, or those of all images.
    const fn result_len(&self, batch: usize, extent: Extent) -> usize {
        match self.kind {
            Kind::ImagesGrad => batch * self.sizes.height * self.sizes.width * self.sizes.channels,
            Kind::Forward | Kind::KernelGrad => extent.parts * extent.rows * self.columns,
        }
    }
}

/// What [`product_kernel`] does with a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    /// Stores it.
    Sum,
    /// Adds the bias, which is the third factor, and applies ReLU.
    Output,
}

/// Computes a product into a new vector; see `Product::result_len`. The third tensor is the bias of a
/// forward product, else the convolution's output.
fn launch_product(
    (product, extent): (Product, Extent),
    [left, right, third]: [CubeTensor; 3],
    batch: usize,
    end: End,
) -> CubeTensor {
    let Extent { rows, depth, parts: _, part } = extent;
    let result = uninitialised(&left, [product.result_len(batch, extent)]);
    product_kernel::launch(
        &result.client.clone(),
        product.workgroups(extent),
        workgroup(),
        left.into_buffer_arg(),
        right.into_buffer_arg(),
        third.into_buffer_arg(),
        result.clone().into_buffer_arg(),
        rows as u32,
        depth as u32,
        part as u32,
        end,
        product,
    );
    result
}

/// The same numbers in another shape.
fn shaped<const D: usize>(values: CubeTensor, shape: [usize; D]) -> CubeTensor {
    Cube::float_reshape(values, Shape::from(shape))
}

impl ConvKernels for Cube {
    fn forward(
        images: CubeTensor,
        kernel: CubeTensor,
        bias: CubeTensor,
        form: ConvForm,
    ) -> CubeTensor {
        let s = Sizes::new(&images.shape(), &kernel.shape(), form);
        let [images, kernel, bias] = [images, kernel, bias].map(contiguous);
        let (product, extent) = Product::new(Kind::Forward, s);
        let factors = [images, kernel, bias.clone()];
        let shape = [s.batch, s.out_height, s.out_width, s.outputs];
        if extent.parts == 1 {
            let output =
                shaped(launch_product((product, extent), factors, s.batch, End::Output), shape);
            return made(Made::Convolution, output);
        }
        let parts = launch_product((product, extent), factors, s.batch, End::Sum);
        let output = uninitialised(&parts, shape);
        add_forward_kernel::launch(
            &parts.client.clone(),
            covering(extent.rows * product.columns),
            workgroup(),
            parts.into_buffer_arg(),
            bias.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            extent.rows as u32,
            extent.parts as u32,
            product,
        );
        made(Made::Convolution, output)
    }

    fn grads(
        images: CubeTensor,
        kernel: CubeTensor,
        output: CubeTensor,
        output_grad: CubeTensor,
        form: ConvForm,
        wants_images: bool,
    ) -> (Option<CubeTensor>, CubeTensor, CubeTensor) {
        let s = Sizes::new(&images.shape(), &kernel.shape(), form);
        let kernel_shape: [usize; 4] = kernel.shape().dims();
        let [images, kernel, output, grad] = [images, kernel, output, output_grad].map(contiguous);
        let images_grad = wants_images.then(|| {
            let factors = [grad.clone(), kernel, output.clone()];
            let result =
                launch_product(Product::new(Kind::ImagesGrad, s), factors, s.batch, End::Sum);
            let result = shaped(result, [s.batch, s.height, s.width, s.channels]);
            made(Made::ConvolutionImagesGradient, result)
        });
        let (product, extent) = Product::new(Kind::KernelGrad, s);
        let kernel_grad = uninitialised(&images, kernel_shape);
        let bias_grad = uninitialised(&images, [s.outputs]);
        if extent.parts == 1 {
            gradients_kernel::launch(
                &images.client.clone(),
                product.workgroups(extent),
                workgroup(),
                images.into_buffer_arg(),
                grad.into_buffer_arg(),
                output.into_buffer_arg(),
                kernel_grad.clone().into_buffer_arg(),
                bias_grad.clone().into_buffer_arg(),
                extent.rows as u32,
                extent.depth as u32,
                extent.part as u32,
                product,
            );
        } else {
            let parts =
                launch_product((product, extent), [images, grad, output], s.batch, End::Sum);
            add_gradients_kernel::launch(
                &parts.client.clone(),
                covering(extent.rows * product.columns),
                workgroup(),
                parts.into_buffer_arg(),
                kernel_grad.clone().into_buffer_arg(),
                bias_grad.clone().into_buffer_arg(),
                extent.rows as u32,
                extent.parts as u32,
                product,
            );
        }
        let kernel_grad = made(Made::ConvolutionKernelGradient, kernel_grad);
        (images_grad, kernel_grad, made(Made::ConvolutionBiasGradient, bias_grad))
    }
}

#[cube(launch)]
fn product_kernel(
    left: &[f32],
    right: &[f32],
    third: &[f32],
    result: &mut [f32],
    rows: u32,
    depth: u32,
    part: u32,
    #[comptime] end: End,
    #[comptime] p: Product,
) {
    let rows = rows as usize;
    let mut sums = Array::<f32>::new(16usize);
    multiply(left, right, third, &mut sums, rows, depth as usize, part as usize, p);
    let first = CUBE_POS_Z as usize * rows * p.columns;
    #[unroll]
    for i in 0..OWN {
        #[unroll]
        for j in 0..OWN {
            let row = own_row(p) + i;
            let column = own_column(p) + j;
            if row < rows && column < p.columns {
                if comptime!(p.kind == Kind::ImagesGrad) {
                    let (image, y, x) = pixel_of(row, p.sizes);
                    if y < p.sizes.height && x < p.sizes.width {
                        let at = (image * p.sizes.height + y) * p.sizes.width + x;
                        result[at * p.columns + column] = sums[i * OWN + j];
                    }
                } else {
                    let at = first + row * p.columns + column;
                    if comptime!(end == End::Output) {
                        result[at] = rectified(sums[i * OWN + j] + third[column], p.sizes);
                    } else {
                        result[at] = sums[i * OWN + j];
                    }
                }
            }
        }
    }
}

/// Gradients of kernel and bias whose sums are not cut.
#[cube(launch)]
fn gradients_kernel(
    images: &[f32],
    grad: &[f32],
    output: &[f32],
    kernel_grad: &mut [f32],
    bias_grad: &mut [f32],
    rows: u32,
    depth: u32,
    part: u32,
    #[comptime] p: Product,
) {
    let rows = rows as usize;
    let mut sums = Array::<f32>::new(16usize);
    multiply(images, grad, output, &mut sums, rows, depth as usize, part as usize, p);
    #[unroll]
    for i in 0..OWN {
        #[unroll]
        for j in 0..OWN {
            let row = own_row(p) + i;
            let column = own_column(p) + j;
            if row < rows && column < p.columns {
                if row == rows - 1usize {
                    bias_grad[column] = sums[i * OWN + j];
                } else {
                    kernel_grad[row * p.columns + column] = sums[i * OWN + j];
                }
            }
        }
    }
}

#[cube(launch)]
fn add_forward_kernel(
    parts: &[f32],
    bias: &[f32],
    output: &mut [f32],
    rows: u32,
    count: u32,
    #[comptime] p: Product,
) {
    let len = rows as usize * p.columns;
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < len {
        let mut value = bias[i % p.columns];
        for part in 0..count as usize {
            value += parts[part * len + i];
        }
        output[i] = rectified(value, p.sizes);
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

/// The value of an output, from the value before ReLU.
#[cube]
fn rectified(value: f32, #[comptime] s: Sizes) -> f32 {
    if comptime!(s.relu) { value.max(0.0f32) } else { value }
}

#[cube(launch)]
fn add_gradients_kernel(
    parts: &[f32],
    kernel_grad: &mut [f32],
    bias_grad: &mut [f32],
    rows: u32,
    count: u32,
    #[comptime] p: Product,
) {
    let len = rows as usize * p.columns;
    let kernel_len = len - p.columns;
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < len {
        let mut sum = 0.0f32;
        for part in 0..count as usize {
            sum += parts[part * len + i];
        }
        if i < kernel_len {
            kernel_grad[i] = sum;
        } else {
            bias_grad[i - kernel_len] = sum;
        }
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

/// First row of the result that this unit computes.
#[cube]
fn own_row(#[comptime] p: Product) -> usize {
    let across = comptime!(p.tile_columns / OWN);
    CUBE_POS_X as usize * p.tile_rows + UNIT_POS as usize / across * OWN
}

/// First column of the result that this unit computes.
#[cube]
fn own_column(#[comptime] p: Product) -> usize {
    let across = comptime!(p.tile_columns / OWN);
    CUBE_POS_Y as usize * p.tile_columns + UNIT_POS as usize % across * OWN
}

/// The unit's 4 x 4 entries of its workgroup's tile. `left` and `right` hold the two factors; `output`
/// is the convolution's output, where a gradient is masked by it.
#[cube]
fn multiply(
    left: &[f32],
    right: &[f32],
    output: &[f32],
    sums: &mut Array<f32>,
    rows: usize,
    depth: usize,
    part: usize,
    #[comptime] p: Product,
) {
    let mut left_tile = Shared::new_slice(comptime!(p.tile_rows * p.step));
    let mut right_tile = Shared::new_slice(comptime!(p.tile_columns * p.step));
    let unit = UNIT_POS as usize;
    let across = comptime!(p.tile_columns / OWN);
    let own_left = unit / across * OWN;
    let own_right = unit % across * OWN;
    let first_row = CUBE_POS_X as usize * p.tile_rows;
    let first_column = CUBE_POS_Y as usize * p.tile_columns;
    let mut from = CUBE_POS_Z as usize * part;
    if comptime!(p.kind == Kind::ImagesGrad) {
        from = 0usize;
    }
    #[unroll]
    for i in 0..16usize {
        sums[i] = 0.0f32;
    }
    let steps = part / p.step;
    for step in 0..steps {
        let start = from + step * p.step;
        let left_loads = comptime!(p.tile_rows * p.step / UNITS);
        for load in 0..left_loads {
            let i = load * UNITS + unit;
            // Neighbouring units read neighbouring numbers: along the patch.
            if comptime!(p.kind == Kind::KernelGrad) {
                let row = i % p.tile_rows;
                let term = i / p.tile_rows;
                left_tile[term * p.tile_rows + row] =
                    left_entry(left, output, first_row + row, start + term, rows, depth, p);
            } else {
                let row = i / p.step;
                let term = i % p.step;
                left_tile[term * p.tile_rows + row] =
                    left_entry(left, output, first_row + row, start + term, rows, depth, p);
            }
        }
        let right_loads = comptime!((p.tile_columns * p.step).div_ceil(UNITS));
        for load in 0..right_loads {
            let i = load * UNITS + unit;
            if i < comptime!(p.tile_columns * p.step) {
                let term = i / p.tile_columns;
                let column = i % p.tile_columns;
                right_tile[i] =
                    right_entry(right, output, start + term, first_column + column, depth, p);
            }
        }
        sync_cube();
        for term in 0..p.step {
            let l = term * p.tile_rows + own_left;
            let r = term * p.tile_columns + own_right;
            #[unroll]
            for i in 0..OWN {
                let factor = left_tile[l + i];
                #[unroll]
                for j in 0..OWN {
                    sums[i * OWN + j] += factor * right_tile[r + j];
                }
            }
        }
        sync_cube();
    }
}

/// Entry of the left factor: a patch, a transposed patch, or the gradient that reaches a pixel.
#[cube]
fn left_entry(
    left: &[f32],
    output: &[f32],
    row: usize,
    term: usize,
    rows: usize,
    depth: usize,
    #[comptime] p: Product,
) -> f32 {
    let mut value = 0.0f32;
    if row < rows && term < depth {
        if comptime!(p.kind == Kind::Forward) {
            value = pixel(left, row, term, p.sizes);
        } else if comptime!(p.kind == Kind::KernelGrad) {
            // The last row is the patch of ones.
            if row == rows - 1usize {
                value = 1.0f32;
            } else {
                value = pixel(left, term, row, p.sizes);
            }
        } else {
            value = reaching(left, output, row, term, p.sizes);
        }
    }
    value
}

/// Entry of the right factor: the kernel, the gradient of the output, or the transposed kernel.
#[cube]
fn right_entry(
    right: &[f32],
    output: &[f32],
    term: usize,
    column: usize,
    depth: usize,
    #[comptime] p: Product,
) -> f32 {
    let s = comptime!(p.sizes);
    let mut value = 0.0f32;
    if column < p.columns && term < depth {
        if comptime!(p.kind == Kind::Forward) {
            value = right[term * s.outputs + column];
        } else if comptime!(p.kind == Kind::KernelGrad) {
            value = masked(right, output, term * s.outputs + column, s);
        } else {
            let (ky, kx) = tap_of(term, s);
            if ky < s.kernel_height && kx < s.kernel_width {
                let tap = ky * s.kernel_width + kx;
                value = right[(tap * s.channels + column) * s.outputs + term % s.outputs];
            }
        }
    }
    value
}

/// Entry `entry` of the patch under output position `position` of all images; 0 over the padding.
#[cube]
fn pixel(images: &[f32], position: usize, entry: usize, #[comptime] s: Sizes) -> f32 {
    let positions = comptime!(s.positions());
    let image = position / positions;
    let place = position % positions;
    let row_len = comptime!(s.kernel_width * s.channels);
    let y = place / s.out_width * s.stride + entry / row_len;
    let in_row = entry % row_len;
    let x = place % s.out_width * s.stride + in_row / s.channels;
    let mut value = 0.0f32;
    if y < s.height && x < s.width {
        value = images[((image * s.height + y) * s.width + x) * s.channels + in_row % s.channels];
    }
    value
}

/// Image, row and column of pixel `row` of this workgroup's phase; they may lie outside of the image.
#[cube]
fn pixel_of(row: usize, #[comptime] s: Sizes) -> (usize, usize, usize) {
    let across = comptime!(s.width.div_ceil(s.stride));
    let pixels = comptime!(s.phase_pixels());
    let phase = CUBE_POS_Z as usize;
    let place = row % pixels;
    let y = place / across * s.stride + phase / s.stride;
    let x = place % across * s.stride + phase % s.stride;
    (row / pixels, y, x)
}

/// Row and column of the tap of term `term` of this workgroup's phase; they may lie outside of the kernel.
#[cube]
fn tap_of(term: usize, #[comptime] s: Sizes) -> (usize, usize) {
    let phase = CUBE_POS_Z as usize;
    let tap = term / s.outputs;
    let ky = tap / comptime!(s.phase_width()) * s.stride + phase / s.stride;
    let kx = tap % comptime!(s.phase_width()) * s.stride + phase % s.stride;
    (ky, kx)
}

/// The gradient that reaches pixel `row` of this workgroup's phase through tap and output `term`.
#[cube]
fn reaching(grad: &[f32], output: &[f32], row: usize, term: usize, #[comptime] s: Sizes) -> f32 {
    let (image, y, x) = pixel_of(row, s);
    let (ky, kx) = tap_of(term, s);
    let mut value = 0.0f32;
    if y >= ky && x >= kx {
        // Multiples of the stride, because pixel and tap have the same phase.
        let (oy, ox) = ((y - ky) / s.stride, (x - kx) / s.stride);
        if oy < s.out_height && ox < s.out_width {
            let position = (image * s.out_height + oy) * s.out_width + ox;
            value = masked(grad, output, position * s.outputs + term % s.outputs, s);
        }
    }
    value
}

/// The gradient of an output before ReLU.
#[cube]
fn masked(grad: &[f32], output: &[f32], i: usize, #[comptime] s: Sizes) -> f32 {
    let value = grad[i];
    if comptime!(s.relu) { select(output[i] > 0.0f32, value, 0.0f32) } else { value }
}
