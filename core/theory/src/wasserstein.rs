//! Wasserstein-1 distances of finite distributions.
//!
//! The distance is a linear programme over transport plans. Two cases have a closed form: the
//! discrete metric (total variation), and a distribution on one point. The closed forms must equal
//! the result of the programme; tests compare them.

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem};

use super::error::TheoryError;
use super::mdp::{SUM_TOLERANCE, check_size};
use super::metric::Metric;

/// The number that represents mass 1 in the programme. The solver meets constraints within 1e-7
/// absolute and would ignore smaller masses; with this scale its tolerance is a mass of 1e-13.
const UNIT: f64 = 1e6;
/// Largest mass that a plan may move to a wrong point.
const MISPLACED: f64 = 1e-10;

/// `1/2 sum_i |p_i - q_i|`, the Wasserstein-1 distance for the discrete metric; `p`, `q` of `[Z]`.
///
/// # Errors
/// [`TheoryError`] if the sizes differ or one is not a distribution.
pub fn total_variation(p: &[f64], q: &[f64]) -> Result<f64, TheoryError> {
    check_pair(p.len(), p, q)?;
    Ok(half_difference(p, q))
}

/// Wasserstein-1 distance of two distributions `p`, `q` of `[Z]`. It is exact up to rounding for
/// the discrete metric and if one of the distributions is on a single point. Otherwise the plan
/// moves all but 1e-10 of the mass correctly, so the error is at most 1e-10 times the largest
/// distance.
///
/// # Errors
/// [`TheoryError`] if the sizes differ, one is not a distribution, or the solver fails.
pub fn wasserstein(metric: &Metric, p: &[f64], q: &[f64]) -> Result<f64, TheoryError> {
    check_pair(metric.points(), p, q)?;
    if metric.is_discrete() {
        return Ok(half_difference(p, q));
    }
    if p == q {
        return Ok(0.0);
    }
    let (from, to) = (support(p), support(q));
    // If one distribution is on a single point, there is only one plan.
    if let [(point, _)] = from[..] {
        return Ok(to.iter().map(|(other, mass)| mass * metric.distance(point, *other)).sum());
    }
    if let [(point, _)] = to[..] {
        return Ok(from.iter().map(|(other, mass)| mass * metric.distance(*other, point)).sum());
    }
    transport(metric, &from, &to)
}

/// Minimises the cost of moving `from` to `to`, lists of `(point, mass)`.
fn transport(
    metric: &Metric,
    from: &[(usize, f64)],
    to: &[(usize, f64)],
) -> Result<f64, TheoryError> {
    let failed = |reason: String| TheoryError::Transport { size: metric.points(), reason };
    let cost = |i: usize, j: usize| metric.distance(from[i].0, to[j].0);
    let pairs = || (0..from.len()).flat_map(|i| (0..to.len()).map(move |j| (i, j)));
    // Distances are scaled to at most 1, so that the solver's tolerances have the same meaning for
    // all metrics.
    let largest = pairs().map(|(i, j)| cost(i, j)).fold(f64::MIN_POSITIVE, f64::max);
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let moves: Vec<_> =
        pairs().map(|(i, j)| problem.add_var(cost(i, j) / largest, (0.0, f64::INFINITY))).collect();
    for (i, (_, mass)) in from.iter().enumerate() {
        let mut row = LinearExpr::empty();
        (0..to.len()).for_each(|j| row.add(moves[i * to.len() + j], 1.0));
        problem.add_constraint(row, ComparisonOp::Eq, UNIT * mass);
    }
    // The constraint of the last column follows from the others; rounding would make it contradict
    // them.
    for (j, (_, mass)) in to.iter().enumerate().take(to.len() - 1) {
        let mut column = LinearExpr::empty();
        (0..from.len()).for_each(|i| column.add(moves[i * to.len() + j], 1.0));
        problem.add_constraint(column, ComparisonOp::Eq, UNIT * mass);
    }
    let outcome = problem.solve().map_err(|error| failed(error.to_string()))?;
    let solution =
        outcome.into_solution().map_err(|_stopped| failed("it was interrupted".to_owned()))?;
    let plan: Vec<f64> = moves.iter().map(|x| solution.var_value(*x).max(0.0) / UNIT).collect();

    let mut misplaced = 0.0;
    for (i, (_, mass)) in from.iter().enumerate() {
        let moved: f64 = (0..to.len()).map(|j| plan[i * to.len() + j]).sum();
        misplaced += (moved - mass).abs();
    }
    for (j, (_, mass)) in to.iter().enumerate() {
        let moved: f64 = (0..from.len()).map(|i| plan[i * to.len() + j]).sum();
        misplaced += (moved - mass).abs();
    }
    if misplaced <= MISPLACED {
        Ok(pairs().zip(&plan).map(|((i, j), moved)| moved * cost(i, j)).sum())
    } else {
        Err(failed(format!("its plan misplaces {misplaced} of the mass")))
    }
}

/// Points of positive mass, with masses that sum to 1 to rounding.
fn support(p: &[f64]) -> Vec<(usize, f64)> {
    let sum: f64 = p.iter().sum();
    p.iter().enumerate().filter(|(_, x)| **x > 0.0).map(|(point, x)| (point, x / sum)).collect()
}

fn half_difference(p: &[f64], q: &[f64]) -> f64 {
    0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

fn check_pair(points: usize, p: &[f64], q: &[f64]) -> Result<(), TheoryError> {
    for (which, distribution) in [("first", p), ("second", q)] {
        check_size("a distribution", distribution.len(), points)?;
        let sum: f64 = distribution.iter().sum();
        let negative = distribution.iter().any(|x| *x < 0.0);
        if negative || sum.is_nan() || (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(TheoryError::Distribution { which, sum });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand_on_a_line() {
        let metric = Metric::line(&[0.0, 1.0, 3.0]).unwrap();
        let distance = wasserstein(&metric, &[0.5, 0.5, 0.0], &[0.0, 0.5, 0.5]).unwrap();
        assert!((distance - 1.5).abs() < 1e-12, "{distance}");
        let distance = wasserstein(&metric, &[0.0, 1.0, 0.0], &[0.25, 0.25, 0.5]).unwrap();
        assert!((distance - 1.25).abs() < 1e-15, "one point: {distance}");
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        let metric = Metric::discrete(2);
        for (p, which) in
            [([0.5, 0.4], "first"), ([1.5, -0.5], "first"), ([f64::NAN, 1.0], "first")]
        {
            let error = wasserstein(&metric, &p, &[0.5, 0.5]).unwrap_err();
            assert!(
                matches!(error, TheoryError::Distribution { which: w, .. } if w == which),
                "{error}"
            );
        }
        assert!(matches!(total_variation(&[1.0], &[0.5, 0.5]), Err(TheoryError::Size { .. })));
    }
}
