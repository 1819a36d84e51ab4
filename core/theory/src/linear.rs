//! Linear systems `(I - c T) x = b` with a sparse matrix `T` of non-negative entries.
//!
//! Values, episode lengths and occupancies all have this form. Sparse LU is not used, because on
//! random graphs its factors are almost dense. A Krylov iteration needs a few dozen products on
//! such graphs, because mixing puts the spectrum of `I - c T` near 1; where it stalls (long
//! corridors) dense LU replaces it. A solution is returned only with its residual, and only if it
//! solves a system within a relative 1e-14 of the given one; callers turn the residual into a bound
//! on the error. This check must never be weakened: it keeps NaN out of the crate.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting::{factor, solve};
use faer::perm::PermRef;
use faer::{Mat, Par};

use super::error::TheoryError;

/// Up to this many unknowns dense LU is as fast as the iteration, and it never stalls.
const DENSE_FIRST: usize = 96;
/// Above this many unknowns dense LU would need more than 128 MiB.
const DENSE_LIMIT: usize = 4096;
/// Largest `|b - M x| / (|b| + |M| |x|)` in the maximum norm that counts as solved.
const BACKWARD_ERROR: f64 = 1e-14;
/// Refinement stops here: smaller residuals are rounding errors.
const BACKWARD_TARGET: f64 = 1e-15;
/// Largest number of refinements of a solution; each gains several digits or is the last one.
const REFINEMENTS: usize = 8;
/// Products with `T` in one Krylov run after which it counts as stalled.
const KRYLOV_STEPS: usize = 400;

/// The rows of a sparse matrix.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SparseRows {
    offsets: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<f64>,
}

impl SparseRows {
    /// A matrix without rows.
    pub(super) fn new() -> Self {
        Self { offsets: vec![0], columns: Vec::new(), values: Vec::new() }
    }

    /// Adds the next row; entries of the same column are added up.
    pub(super) fn push(&mut self, entries: impl IntoIterator<Item = (usize, f64)>) {
        for (column, value) in entries {
            self.columns.push(column);
            self.values.push(value);
        }
        self.offsets.push(self.columns.len());
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Entries `(column, value)` of a row.
    pub(super) fn row(&self, index: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.offsets[index]..self.offsets[index + 1];
        self.columns[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    /// `sum_j T[index, j] x[j]`.
    pub(super) fn dot(&self, index: usize, x: &[f64]) -> f64 {
        self.row(index).map(|(column, value)| value * x[column]).sum()
    }

    /// The transpose of a square matrix.
    pub(super) fn transpose(&self) -> Self {
        let count = self.len();
        let mut offsets = vec![0; count + 1];
        for column in &self.columns {
            offsets[column + 1] += 1;
        }
        for index in 0..count {
            offsets[index + 1] += offsets[index];
        }
        let mut next = offsets.clone();
        let (mut columns, mut values) =
            (vec![0; self.columns.len()], vec![0.0; self.columns.len()]);
        for index in 0..count {
            for (column, value) in self.row(index) {
                columns[next[column]] = index;
                values[next[column]] = value;
                next[column] += 1;
            }
        }
        Self { offsets, columns, values }
    }
}

/// A solution and its residual `b - M x`.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    pub(super) x: Vec<f64>,
    pub(super) residual: Vec<f64>,
}

/// The system `(I - scale * T) x = b`.
struct System<'a> {
    matrix: &'a SparseRows,
    scale: f64,
    b: &'a [f64],
    /// Upper bound of the largest absolute row sum of `I - scale * T`.
    norm: f64,
}

/// Solves `(I - scale * T) x = b`.
///
/// # Errors
/// [`TheoryError::Singular`], which names `what`, if the solution is not finite or its residual is
/// too large; [`TheoryError::NotConverged`] if the iteration stalls on a system too large for dense
/// LU.
pub(super) fn solve_shifted(
    what: &'static str,
    matrix: &SparseRows,
    scale: f64,
    b: &[f64],
) -> Result<Solution, TheoryError> {
    let largest = (0..matrix.len())
        .map(|row| matrix.row(row).map(|(_, value)| value.abs()).sum::<f64>())
        .fold(0.0, f64::max);
    let system = System { matrix, scale, b, norm: 1.0 + scale.abs() * largest };
    let size = matrix.len();
    if size > DENSE_FIRST {
        let solution = system.refine(|residual| system.krylov(residual));
        if system.backward_error(&solution) <= BACKWARD_ERROR {
            return Ok(solution);
        }
        if size > DENSE_LIMIT {
            return Err(TheoryError::NotConverged { what, iterations: KRYLOV_STEPS * REFINEMENTS });
        }
    }
    let factors = Factors::new(&system);
    let solution = system.refine(|residual| factors.solve(residual));
    let residual = system.backward_error(&solution);
    if residual <= BACKWARD_ERROR {
        Ok(solution)
    } else {
        Err(TheoryError::Singular { what, size, residual, allowed: BACKWARD_ERROR })
    }
}

impl System<'_> {
    /// `M x`.
    fn product(&self, x: &[f64]) -> Vec<f64> {
        (0..x.len()).map(|row| x[row] - self.scale * self.matrix.dot(row, x)).collect()
    }

    fn residual(&self, x: &[f64]) -> Vec<f64> {
        self.product(x).iter().zip(self.b).map(|(product, b)| b - product).collect()
    }

    /// The scaled residual; infinite if a value is not finite, so that a comparison rejects it.
    fn backward_error(&self, solution: &Solution) -> f64 {
        let finite = solution.x.iter().chain(&solution.residual).all(|x| x.is_finite());
        let scale = max_norm(self.b) + self.norm * max_norm(&solution.x);
        match (finite, scale == 0.0) {
            (false, _) => f64::INFINITY,
            (true, true) => 0.0,
            (true, false) => max_norm(&solution.residual) / scale,
        }
    }

    /// Adds corrections by an inexact solver as long as they reduce the true residual.
    fn refine(&self, correct: impl Fn(&[f64]) -> Vec<f64>) -> Solution {
        let mut best = Solution { x: vec![0.0; self.b.len()], residual: self.b.to_vec() };
        for _ in 0..REFINEMENTS {
            let correction = correct(&best.residual);
            let x: Vec<f64> = best.x.iter().zip(&correction).map(|(x, c)| x + c).collect();
            let candidate = Solution { residual: self.residual(&x), x };
            // A residual that no longer shrinks is rounding, or the solver has failed.
            let shrinks = max_norm(&candidate.residual) < max_norm(&best.residual);
            if !shrinks || !self.backward_error(&candidate).is_finite() {
                break;
            }
            best = candidate;
            if self.backward_error(&best) <= BACKWARD_TARGET {
                break;
            }
        }
        best
    }

    /// BiCGStab from 0 (van der Vorst 1992); returns its last finite iterate, whether converged or
    /// not.
    fn krylov(&self, b: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; b.len()];
        let mut residual = b.to_vec();
        let goal = 1e-12 * dot(b, b).sqrt();
        let shadow = residual.clone();
        let mut direction = residual.clone();
        let mut rho = dot(&shadow, &residual);
        for _ in 0..KRYLOV_STEPS / 2 {
            let image = self.product(&direction);
            let alpha = rho / dot(&shadow, &image);
            let half: Vec<f64> = residual.iter().zip(&image).map(|(r, v)| r - alpha * v).collect();
            let step = self.product(&half);
            let length = dot(&step, &step);
            let omega = if length == 0.0 { 0.0 } else { dot(&step, &half) / length };
            if !(alpha.is_finite() && omega.is_finite()) {
                break;
            }
            for index in 0..x.len() {
                x[index] += alpha * direction[index] + omega * half[index];
                residual[index] = half[index] - omega * step[index];
            }
            if dot(&residual, &residual).sqrt() <= goal {
                break;
            }
            let next = dot(&shadow, &residual);
            let beta = (next / rho) * (alpha / omega);
            if !beta.is_finite() {
                break;
            }
            rho = next;
            for index in 0..x.len() {
                direction[index] =
                    residual[index] + beta * (direction[index] - omega * image[index]);
            }
        }
        x
    }
}

/// Dense LU factors with partial pivoting.
struct Factors {
    lu: Mat<f64>,
    forward: Vec<usize>,
    backward: Vec<usize>,
}

impl Factors {
    fn new(system: &System<'_>) -> Self {
        let size = system.b.len();
        let mut lu = Mat::<f64>::zeros(size, size);
        for row in 0..size {
            lu[(row, row)] = 1.0;
            for (column, value) in system.matrix.row(row) {
                lu[(row, column)] -= system.scale * value;
            }
        }
        let (mut forward, mut backward) = (vec![0; size], vec![0; size]);
        let scratch =
            factor::lu_in_place_scratch::<usize, f64>(size, size, Par::Seq, Default::default());
        let mut memory = MemBuffer::new(scratch);
        let _ = factor::lu_in_place(
            lu.as_mut(),
            &mut forward,
            &mut backward,
            Par::Seq,
            MemStack::new(&mut memory),
            Default::default(),
        );
        Self { lu, forward, backward }
    }

    fn solve(&self, b: &[f64]) -> Vec<f64> {
        let size = b.len();
        let mut x = Mat::from_fn(size, 1, |row, _| b[row]);
        let mut memory =
            MemBuffer::new(solve::solve_in_place_scratch::<usize, f64>(size, 1, Par::Seq));
        solve::solve_in_place(
            self.lu.as_ref(),
            self.lu.as_ref(),
            PermRef::new_checked(&self.forward, &self.backward, size),
            x.as_mut(),
            Par::Seq,
            MemStack::new(&mut memory),
        );
        (0..size).map(|row| x[(row, 0)]).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Largest absolute entry; infinite if an entry is NaN.
pub(super) fn max_norm(x: &[f64]) -> f64 {
    x.iter().map(|x| if x.is_nan() { f64::INFINITY } else { x.abs() }).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each state goes to three others, in a fixed mixing pattern.
    fn mixing(size: usize) -> SparseRows {
        let mut rows = SparseRows::new();
        for row in 0..size {
            rows.push((1..4).map(|k| ((row * 7 + k * k * 31 + k) % size, 1.0 / 3.0)));
        }
        rows
    }

    /// Each state goes one or two steps on, and the last one nowhere: there is no mixing.
    fn corridor(size: usize) -> SparseRows {
        let mut rows = SparseRows::new();
        for row in 0..size {
            let next = (row + 1 < size).then_some((row + 1, 0.5));
            rows.push(next.into_iter().chain([(row.saturating_sub(1), 0.5)]));
        }
        rows
    }

    #[test]
    fn both_methods_agree_and_leave_a_small_residual() {
        for matrix in [mixing(300), corridor(300)] {
            let b: Vec<f64> = (0..300).map(|row| f64::from(row % 11) - 5.0).collect();
            let system = System { matrix: &matrix, scale: 0.99, b: &b, norm: 2.0 };
            let factors = Factors::new(&system);
            let dense = system.refine(|residual| factors.solve(residual));
            let any = solve_shifted("test", &matrix, 0.99, &b).unwrap();
            for (x, y) in dense.x.iter().zip(&any.x) {
                assert!((x - y).abs() < 1e-9, "{x} against {y}");
            }
        }
    }

    #[test]
    fn a_singular_system_is_an_error() {
        for size in [1, 5, 200] {
            let mut rows = SparseRows::new();
            (0..size).for_each(|row| rows.push([((row + 1) % size, 1.0)]));
            let mut b = vec![0.0; size];
            b[0] = 1.0;
            let solved = solve_shifted("test", &rows, 1.0, &b);
            assert!(matches!(solved, Err(TheoryError::Singular { .. })), "{size}: {solved:?}");
        }
    }

    #[test]
    fn transposing_twice_changes_nothing() {
        let matrix = corridor(6);
        let twice = matrix.transpose().transpose();
        for row in 0..6 {
            let sorted = |rows: &SparseRows| {
                let mut row: Vec<_> = rows.row(row).collect();
                row.sort_by_key(|(column, _)| *column);
                row
            };
            assert_eq!(sorted(&matrix), sorted(&twice));
        }
    }
}
