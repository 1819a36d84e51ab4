//! The power iteration on plain slices.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{EPSILON, Matrices, PowerKernels, SCALARS, Sizes, sizes};
use crate::ops::cpu::{contiguous, float_tensor, values};

impl PowerKernels for Flex {
    fn divide(
        kernel: FlexTensor,
        start: FlexTensor,
        matrices: Matrices,
    ) -> (FlexTensor, FlexTensor) {
        let shape: [usize; 2] = kernel.shape().dims();
        let s = sizes(&kernel.shape(), matrices);
        let [kernel, start] = [kernel, start].map(contiguous);
        let (kernel, start) = (values(&kernel), values(&start));
        let mut divided = vec![0.0; kernel.len()];
        let mut state = vec![0.0; s.groups * s.state()];
        for (g, state) in state.chunks_mut(s.state()).enumerate() {
            let matrix = Matrix { kernel, sizes: s, group: g };
            let (scalars, vectors) = state.split_at_mut(SCALARS);
            let [n0, n1, v2, u1, u2] = split(vectors, &s);
            n0.copy_from_slice(start);
            normalise(n0);
            matrix.times(n0, u1);
            scalars[1] = normalise(u1);
            matrix.transposed_times(u1, n1);
            scalars[2] = normalise(n1);
            matrix.times(n1, u2);
            scalars[3] = normalise(u2);
            matrix.transposed_times(u2, v2);
            scalars[0] = dot(v2, v2);
            matrix.each(|i, _, _| divided[i] = kernel[i] / scalars[0]);
        }
        let len = state.len();
        (float_tensor(divided, shape), float_tensor(state, [len]))
    }

    fn divide_grad(
        kernel: FlexTensor,
        state: FlexTensor,
        grad: FlexTensor,
        matrices: Matrices,
    ) -> FlexTensor {
        let shape: [usize; 2] = kernel.shape().dims();
        let s = sizes(&kernel.shape(), matrices);
        let [kernel, state, grad] = [kernel, state, grad].map(contiguous);
        let (kernel, state, grad) = (values(&kernel), values(&state), values(&grad));
        let mut result = vec![0.0; kernel.len()];
        for (g, state) in state.chunks(s.state()).enumerate() {
            let matrix = Matrix { kernel, sizes: s, group: g };
            let (scalars, vectors) = state.split_at(SCALARS);
            let &[sigma, scale_0, scale_1, scale_2] = scalars else { unreachable!("four scalars") };
            let (n0, rest) = vectors.split_at(s.columns);
            let (n1, rest) = rest.split_at(s.columns);
            let (v2, rest) = rest.split_at(s.columns);
            let (u1, u2) = rest.split_at(s.rows);

            let mut along = 0.0_f32;
            matrix.each(|i, _, _| along += grad[i] * kernel[i]);
            // d sigma = 2 v2 . d v2, and the divided kernel depends on sigma by -K / sigma^2.
            let outer = -2.0 * along / (sigma * sigma);
            let mut a1 = vec![0.0; s.rows];
            matrix.times(v2, &mut a1);
            through_unit(&mut a1, u2, scale_2);
            let mut b1 = vec![0.0; s.columns];
            matrix.transposed_times(&a1, &mut b1);
            through_unit(&mut b1, n1, scale_1);
            let mut a0 = vec![0.0; s.rows];
            matrix.times(&b1, &mut a0);
            through_unit(&mut a0, u1, scale_0);
            matrix.each(|i, r, c| {
                let path = u2[r] * v2[c] + a1[r] * n1[c] + u1[r] * b1[c] + a0[r] * n0[c];
                result[i] = grad[i] / sigma + outer * path;
            });
        }
        float_tensor(result, shape)
    }
}

/// The five vectors of a matrix's state: n0, n1, v2, u1, u2.
fn split<'a>(vectors: &'a mut [f32], s: &Sizes) -> [&'a mut [f32]; 5] {
    let (n0, rest) = vectors.split_at_mut(s.columns);
    let (n1, rest) = rest.split_at_mut(s.columns);
    let (v2, rest) = rest.split_at_mut(s.columns);
    let (u1, u2) = rest.split_at_mut(s.rows);
    [n0, n1, v2, u1, u2]
}

/// Divides a vector by its norm; returns the reciprocal norm.
fn normalise(x: &mut [f32]) -> f32 {
    let scale = 1.0 / (dot(x, x) + EPSILON).sqrt();
    x.iter_mut().for_each(|x| *x *= scale);
    scale
}

/// The gradient of x from the gradient of `y = unit(x)`, in place; `scale` is the reciprocal norm.
fn through_unit(grad: &mut [f32], y: &[f32], scale: f32) {
    let along = dot(grad, y);
    grad.iter_mut().zip(y).for_each(|(grad, y)| *grad = (*grad - y * along) * scale);
}

/// Dot product as sixteen independent sums, which the compiler keeps in vector registers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [0.0_f32; 16];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for i in 0..16 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// One matrix of a kernel.
struct Matrix<'a> {
    kernel: &'a [f32],
    sizes: Sizes,
    group: usize,
}

impl Matrix<'_> {
    /// Runs over the elements in the order of memory: index in the kernel, row and column.
    fn each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Sizes { rows, columns, group, row, column, .. } = self.sizes;
        let start = self.group * group;
        if column == 1 {
            for r in 0..rows {
                (0..columns).for_each(|c| visit(start + r * row + c, r, c));
            }
        } else {
            for c in 0..columns {
                (0..rows).for_each(|r| visit(start + c * column + r, r, c));
            }
        }
    }

    /// `M x`, `[R]`.
    fn times(&self, x: &[f32], result: &mut [f32]) {
        if self.sizes.column == 1 { self.dots(x, result) } else { self.sums(x, result) }
    }

    /// `M^T y`, `[C]`.
    fn transposed_times(&self, y: &[f32], result: &mut [f32]) {
        if self.sizes.column == 1 { self.sums(y, result) } else { self.dots(y, result) }
    }

    /// The lines of the kernel that belong to the matrix: rows of M, or columns if it is transposed.
    fn lines(&self) -> impl Iterator<Item = &[f32]> {
        let Sizes { rows, columns, group, row, column, .. } = self.sizes;
        let (stride, len) = if column == 1 { (row, columns) } else { (column, rows) };
        let start = self.group * group;
        self.kernel.chunks(stride).map(move |line| &line[start..start + len])
    }

    /// The product of each line with `x`.
    fn dots(&self, x: &[f32], result: &mut [f32]) {
        self.lines().zip(result).for_each(|(line, result)| *result = dot(line, x));
    }

    /// The sum of all lines, weighted by `y`.
    fn sums(&self, y: &[f32], result: &mut [f32]) {
        result.fill(0.0);
        for (line, y) in self.lines().zip(y) {
            result.iter_mut().zip(line).for_each(|(sum, x)| *sum += x * y);
        }
    }
}
