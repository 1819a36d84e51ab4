//! The power iteration on a GPU: one workgroup for each matrix.
//!
//! Vectors are kept in global memory, because those of the largest kernel do not fit the 16 KB of
//! shared memory that WebGPU promises.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::{EPSILON, Matrices, PowerKernels, SCALARS, Sizes, sizes};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{CubeTensor, UNITS, contiguous, sum_of_units, uninitialised, workgroup};

impl PowerKernels for Cube {
    fn divide(
        kernel: CubeTensor,
        start: CubeTensor,
        matrices: Matrices,
    ) -> (CubeTensor, CubeTensor) {
        let s = sizes(&kernel.shape(), matrices);
        let shape: [usize; 2] = kernel.shape().dims();
        let [kernel, start] = [kernel, start].map(contiguous);
        let divided = uninitialised(&kernel, shape);
        let state = uninitialised(&kernel, [s.groups * s.state()]);
        divide_kernel::launch(
            &kernel.client.clone(),
            workgroups(&s),
            workgroup(),
            kernel.into_buffer_arg(),
            start.into_buffer_arg(),
            divided.clone().into_buffer_arg(),
            state.clone().into_buffer_arg(),
            s,
        );
        (made(Made::DividedKernel, divided), state)
    }

    fn divide_grad(
        kernel: CubeTensor,
        state: CubeTensor,
        grad: CubeTensor,
        matrices: Matrices,
    ) -> CubeTensor {
        let s = sizes(&kernel.shape(), matrices);
        let shape: [usize; 2] = kernel.shape().dims();
        let [kernel, state, grad] = [kernel, state, grad].map(contiguous);
        let result = uninitialised(&kernel, shape);
        let scratch = uninitialised(&kernel, [s.groups * (s.state() + 2 * s.rows + s.columns)]);
        divide_grad_kernel::launch(
            &kernel.client.clone(),
            workgroups(&s),
            workgroup(),
            kernel.into_buffer_arg(),
            state.into_buffer_arg(),
            grad.into_buffer_arg(),
            scratch.into_buffer_arg(),
            result.clone().into_buffer_arg(),
            s,
        );
        made(Made::DividedKernelGradient, result)
    }
}

fn workgroups(s: &Sizes) -> CubeCount {
    CubeCount::Static(s.groups as u32, 1, 1)
}

#[cube(launch)]
fn divide_kernel(
    kernel: &[f32],
    start: &[f32],
    divided: &mut [f32],
    state: &mut [f32],
    #[comptime] s: Sizes,
) {
    let mut shared = Shared::new_slice(UNITS);
    let unit = UNIT_POS as usize;
    let first = CUBE_POS * s.group;
    let scalars = CUBE_POS * s.state();
    let Vectors { n0, n1, v2, u1, u2 } = vectors_at(scalars, s);

    let mut i = unit;
    while i < s.columns {
        state[n0 + i] = start[i];
        i += UNITS;
    }
    sync_storage();
    normalise(state, n0, s.columns, &mut shared);
    times(kernel, state, n0, u1, first, &mut shared, s);
    let scale_0 = normalise(state, u1, s.rows, &mut shared);
    transposed_times(kernel, state, u1, n1, first, &mut shared, s);
    let scale_1 = normalise(state, n1, s.columns, &mut shared);
    times(kernel, state, n1, u2, first, &mut shared, s);
    let scale_2 = normalise(state, u2, s.rows, &mut shared);
    transposed_times(kernel, state, u2, v2, first, &mut shared, s);
    let sigma = dot(state, v2, v2, s.columns, &mut shared);
    if unit == 0usize {
        state[scalars] = sigma;
        state[scalars + 1usize] = scale_0;
        state[scalars + 2usize] = scale_1;
        state[scalars + 3usize] = scale_2;
    }
    let mut element = unit;
    while element < s.rows * s.columns {
        let at = position(element, first, s);
        divided[at] = kernel[at] / sigma;
        element += UNITS;
    }
}

#[cube(launch)]
fn divide_grad_kernel(
    kernel: &[f32],
    state: &[f32],
    grad: &[f32],
    vectors: &mut [f32],
    result: &mut [f32],
    #[comptime] s: Sizes,
) {
    let mut shared = Shared::new_slice(UNITS);
    let unit = UNIT_POS as usize;
    let first = CUBE_POS * s.group;
    let stored = CUBE_POS * s.state();
    let scalars = CUBE_POS * (s.state() + 2usize * s.rows + s.columns);
    let Vectors { n0, n1, v2, u1, u2 } = vectors_at(scalars, s);
    let b1 = u2 + s.rows;
    let a1 = b1 + s.columns;
    let a0 = a1 + s.rows;

    let mut i = unit;
    while i < s.state() {
        vectors[scalars + i] = state[stored + i];
        i += UNITS;
    }
    let mut along = 0.0f32;
    let mut element = unit;
    while element < s.rows * s.columns {
        let at = position(element, first, s);
        along += grad[at] * kernel[at];
        element += UNITS;
    }
    let along = sum_of_units(along, &mut shared);
    sync_storage();
    let sigma = vectors[scalars];
    // d sigma = 2 v2 . d v2, and the divided kernel depends on sigma by -K / sigma^2.
    let outer = -2.0f32 * along / (sigma * sigma);
    times(kernel, vectors, v2, a1, first, &mut shared, s);
    through_unit(vectors, a1, u2, scalars + 3usize, s.rows, &mut shared);
    transposed_times(kernel, vectors, a1, b1, first, &mut shared, s);
    through_unit(vectors, b1, n1, scalars + 2usize, s.columns, &mut shared);
    times(kernel, vectors, b1, a0, first, &mut shared, s);
    through_unit(vectors, a0, u1, scalars + 1usize, s.rows, &mut shared);
    let mut element = unit;
    while element < s.rows * s.columns {
        let at = position(element, first, s);
        let r = row(element, s);
        let c = column(element, s);
        let path = vectors[u2 + r] * vectors[v2 + c]
            + vectors[a1 + r] * vectors[n1 + c]
            + vectors[u1 + r] * vectors[b1 + c]
            + vectors[a0 + r] * vectors[n0 + c];
        result[at] = grad[at] / sigma + outer * path;
        element += UNITS;
    }
}

/// Places of the vectors of a matrix's state.
#[derive(CubeType, Clone, Copy)]
struct Vectors {
    n0: usize,
    n1: usize,
    v2: usize,
    u1: usize,
    u2: usize,
}

/// The places in a state that begins at `scalars`; see `Sizes::state`.
#[cube]
fn vectors_at(scalars: usize, #[comptime] s: Sizes) -> Vectors {
    let n0 = scalars + SCALARS;
    let n1 = n0 + s.columns;
    let v2 = n1 + s.columns;
    let u1 = v2 + s.columns;
    let u2 = u1 + s.rows;
    Vectors { n0, n1, v2, u1, u2 }
}

/// Row of the matrix's element that is number `element` in the order of memory.
#[cube]
fn row(element: usize, #[comptime] s: Sizes) -> usize {
    if comptime!(s.column == 1) { element / s.columns } else { element % s.rows }
}

/// Its column.
#[cube]
fn column(element: usize, #[comptime] s: Sizes) -> usize {
    if comptime!(s.column == 1) { element % s.columns } else { element / s.rows }
}

/// Its place in the kernel.
#[cube]
fn position(element: usize, first: usize, #[comptime] s: Sizes) -> usize {
    first + row(element, s) * s.row + column(element, s) * s.column
}

/// `M x`, `[R]`; `x` and `result` are places in `vectors`. All units must call it.
#[cube]
fn times(
    kernel: &[f32],
    vectors: &mut [f32],
    x: usize,
    result: usize,
    first: usize,
    shared: &mut Shared<[f32]>,
    #[comptime] s: Sizes,
) {
    if comptime!(s.column == 1) {
        dots(kernel, vectors, x, result, first, s.rows, s.columns, s.row);
    } else {
        sums(kernel, vectors, x, result, first, shared, s.columns, s.rows, s.column);
    }
}

/// `M^T y`, `[C]`.
#[cube]
fn transposed_times(
    kernel: &[f32],
    vectors: &mut [f32],
    y: usize,
    result: usize,
    first: usize,
    shared: &mut Shared<[f32]>,
    #[comptime] s: Sizes,
) {
    if comptime!(s.column == 1) {
        sums(kernel, vectors, y, result, first, shared, s.rows, s.columns, s.row);
    } else {
        dots(kernel, vectors, y, result, first, s.columns, s.rows, s.column);
    }
}

/// Sums that a unit keeps at once, so that its reads need not wait for each other.
const TOGETHER: usize = 4;

/// The product of each line of the kernel with a vector `[length]`; one unit computes a line.
#[cube]
fn dots(
    kernel: &[f32],
    vectors: &mut [f32],
    x: usize,
    result: usize,
    first: usize,
    #[comptime] lines: usize,
    #[comptime] length: usize,
    #[comptime] stride: usize,
) {
    let mut line = UNIT_POS as usize;
    while line < lines {
        let mut sums = no_sums();
        let from = first + line * stride;
        for block in 0..comptime!(length / TOGETHER) {
            #[unroll]
            for own in 0..TOGETHER {
                let i = block * TOGETHER + own;
                sums[own] += kernel[from + i] * vectors[x + i];
            }
        }
        for i in comptime!(length / TOGETHER * TOGETHER)..length {
            sums[0usize] += kernel[from + i] * vectors[x + i];
        }
        vectors[result + line] = all(&sums);
        line += UNITS;
    }
    sync_storage();
}

/// The sum of all lines of the kernel, weighted by a vector `[lines]`. Neighbouring units read
/// neighbouring numbers; if a line is shorter than the workgroup, parts of it share the lines.
#[cube]
fn sums(
    kernel: &[f32],
    vectors: &mut [f32],
    y: usize,
    result: usize,
    first: usize,
    shared: &mut Shared<[f32]>,
    #[comptime] lines: usize,
    #[comptime] length: usize,
    #[comptime] stride: usize,
) {
    let width = comptime!(length.next_power_of_two().min(UNITS));
    let parts = comptime!(UNITS / width);
    let unit = UNIT_POS as usize;
    let (place, part) = (unit % width, unit / width);
    let blocks = comptime!(length.div_ceil(width));
    for block in 0..blocks {
        let i = block * width + place;
        let mut sums = no_sums();
        if i < length {
            let mut line = part;
            while line + comptime!((TOGETHER - 1) * parts) < lines {
                #[unroll]
                for own in 0..TOGETHER {
                    let line = line + own * parts;
                    sums[own] += kernel[first + line * stride + i] * vectors[y + line];
                }
                line += comptime!(TOGETHER * parts);
            }
            while line < lines {
                sums[0usize] += kernel[first + line * stride + i] * vectors[y + line];
                line += parts;
            }
        }
        shared[unit] = all(&sums);
        sync_cube();
        if part == 0usize && i < length {
            let mut total = 0.0f32;
            for other in 0..parts {
                total += shared[other * width + place];
            }
            vectors[result + i] = total;
        }
        sync_cube();
    }
    sync_storage();
}

/// Sums of nothing.
#[cube]
fn no_sums() -> Array<f32> {
    let mut sums = Array::<f32>::new(TOGETHER);
    #[unroll]
    for i in 0..TOGETHER {
        sums[i] = 0.0f32;
    }
    sums
}

/// Their total.
#[cube]
fn all(sums: &Array<f32>) -> f32 {
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..TOGETHER {
        sum += sums[i];
    }
    sum
}

/// The product of two vectors; every unit gets it.
#[cube]
fn dot(vectors: &mut [f32], a: usize, b: usize, length: usize, shared: &mut Shared<[f32]>) -> f32 {
    let mut sum = 0.0f32;
    let mut i = UNIT_POS as usize;
    while i < length {
        sum += vectors[a + i] * vectors[b + i];
        i += UNITS;
    }
    sum_of_units(sum, shared)
}

/// Divides a vector by its norm; returns the reciprocal norm.
#[cube]
fn normalise(vectors: &mut [f32], x: usize, length: usize, shared: &mut Shared<[f32]>) -> f32 {
    let scale = 1.0f32 / (dot(vectors, x, x, length, shared) + EPSILON).sqrt();
    let mut i = UNIT_POS as usize;
    while i < length {
        vectors[x + i] *= scale;
        i += UNITS;
    }
    sync_storage();
    scale
}

/// The gradient of x from the gradient of `y = unit(x)`, in place; `scale` is the place of the
/// reciprocal norm.
#[cube]
fn through_unit(
    vectors: &mut [f32],
    grad: usize,
    y: usize,
    scale: usize,
    length: usize,
    shared: &mut Shared<[f32]>,
) {
    let along = dot(vectors, grad, y, length, shared);
    let mut i = UNIT_POS as usize;
    while i < length {
        vectors[grad + i] = (vectors[grad + i] - vectors[y + i] * along) * vectors[scale];
        i += UNITS;
    }
    sync_storage();
}
