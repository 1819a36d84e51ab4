//! Distances between latents.
//!
//! The bounds compare a Lipschitz constant with a Wasserstein distance, and both must use the same
//! metric. So a world model owns one [`Metric`], and all computations read it from there.

use super::error::TheoryError;
use super::mdp::check_size;

/// A metric on finitely many points.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    points: usize,
    /// `[Z, Z]`, or `None` for the discrete metric, whose Wasserstein distance needs no linear
    /// programme.
    table: Option<Vec<f64>>,
}

impl Metric {
    /// The discrete metric: distance 1 between any two different points.
    #[must_use]
    pub const fn discrete(points: usize) -> Self {
        Self { points, table: None }
    }

    /// A metric from a `[Z, Z]` table. The triangle inequality is checked separately by
    /// [`Metric::require_triangle`], because that takes cubic time.
    ///
    /// # Errors
    /// [`TheoryError::Metric`] with the pair of points if a distance is not finite, not positive
    /// between different points, not 0 from a point to itself, or not symmetric; an error of the
    /// size.
    pub fn new(points: usize, table: Vec<f64>) -> Result<Self, TheoryError> {
        check_size("the distance table", table.len(), points * points)?;
        for first in 0..points {
            for second in 0..points {
                let got = table[first * points + second];
                let allowed = if first == second && got != 0.0 {
                    "the distance of a point to itself must be 0"
                } else if first != second && !(got.is_finite() && got > 0.0) {
                    "different points must have a positive, finite distance; merge points that \
                     are the same"
                } else if got != table[second * points + first] {
                    "a distance must be the same in both directions"
                } else {
                    continue;
                };
                return Err(TheoryError::Metric { first, second, got, allowed });
            }
        }
        Ok(Self { points, table: Some(table) })
    }

    /// The metric `|x_i - x_j|` of points on a line, which must be different.
    ///
    /// # Errors
    /// As [`Metric::new`].
    pub fn line(positions: &[f64]) -> Result<Self, TheoryError> {
        let table =
            positions.iter().flat_map(|x| positions.iter().map(move |y| (x - y).abs())).collect();
        Self::new(positions.len(), table)
    }

    /// Checks `d(i, k) <= d(i, j) + d(j, k)` for all triples, up to rounding. Lipschitz statements
    /// need it; it takes `Z^3` steps.
    ///
    /// # Errors
    /// [`TheoryError::Metric`] with the pair of points that is closer over a third point.
    pub fn require_triangle(&self) -> Result<(), TheoryError> {
        let Some(table) = &self.table else { return Ok(()) };
        let points = self.points;
        for first in 0..points {
            for second in 0..points {
                let got = table[first * points + second];
                let over = |middle: usize| {
                    table[first * points + middle] + table[middle * points + second]
                };
                if (0..points).any(|middle| over(middle) * (1.0 + 1e-12) < got) {
                    let allowed = "it must not exceed the way over any third point (triangle \
                                   inequality); use shortest-path distances";
                    return Err(TheoryError::Metric { first, second, got, allowed });
                }
            }
        }
        Ok(())
    }

    /// Number of points, `Z`.
    #[must_use]
    pub const fn points(&self) -> usize {
        self.points
    }

    /// Whether this metric was made as the discrete one.
    #[must_use]
    pub const fn is_discrete(&self) -> bool {
        self.table.is_none()
    }

    /// Distance of two points.
    #[must_use]
    pub fn distance(&self, first: usize, second: usize) -> f64 {
        match &self.table {
            Some(table) => table[first * self.points + second],
            None => f64::from(u8::from(first != second)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_metric_is_named() {
        let pair = |table: [f64; 4]| match Metric::new(2, table.to_vec()) {
            Err(TheoryError::Metric { first, second, .. }) => Some((first, second)),
            _ => None,
        };
        assert_eq!(pair([0.0, 1.0, 1.0, 0.5]), Some((1, 1)), "diagonal");
        assert_eq!(pair([0.0, 0.0, 0.0, 0.0]), Some((0, 1)), "different points at distance 0");
        assert_eq!(pair([0.0, 1.0, 2.0, 0.0]), Some((0, 1)), "not symmetric");
        assert_eq!(pair([0.0, f64::NAN, f64::NAN, 0.0]), Some((0, 1)), "not finite");
        assert_eq!(pair([0.0, 1.0, 1.0, 0.0]), None);
    }

    #[test]
    fn the_triangle_inequality_is_checked_on_request() {
        let bent = vec![0.0, 1.0, 5.0, 1.0, 0.0, 1.0, 5.0, 1.0, 0.0];
        let error = Metric::new(3, bent).unwrap().require_triangle().unwrap_err();
        assert!(matches!(error, TheoryError::Metric { first: 0, second: 2, .. }), "{error}");
        assert!(Metric::line(&[0.0, 0.3, 2.0]).unwrap().require_triangle().is_ok());
        assert!(Metric::discrete(3).require_triangle().is_ok());
    }
}
