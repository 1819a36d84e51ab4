//! Statistics as curves over training, such as the IQM as a measure of sample efficiency.

use serde::Serialize;

use super::bootstrap::stratified;
use super::summary::Interval;

/// A statistic with its interval, at one point of a curve or profile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Position on the horizontal axis.
    pub x: f64,
    /// Value over all runs.
    pub value: f64,
    /// Pointwise 95 % interval.
    pub interval: Interval,
    /// Number of runs.
    pub runs: usize,
}

/// Scores of the runs of one algorithm at common steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// Agent steps of the points.
    pub places: Vec<f64>,
    /// Number of runs of each game, in the order of `values`.
    pub lengths: Vec<usize>,
    /// For each run, game after game, its score at each point; NaN while it has none.
    pub values: Vec<Vec<f64>>,
}

/// `statistic` at each point with its pointwise 95 % band; whole curves are resampled within their
/// game.
///
/// Runs without a score at a point are left out there; a point without any run is left out.
#[must_use]
pub fn curve(
    curves: &Curves,
    statistic: impl Fn(&[f64]) -> Option<f64> + Sync,
    resamples: usize,
) -> Vec<Point> {
    let at = |runs: &[usize], place: usize| -> f64 {
        let values: Vec<f64> = runs.iter().map(|&run| curves.values[run][place]).collect();
        statistic(&values).unwrap_or(f64::NAN)
    };
    let all: Vec<usize> = (0..curves.values.len()).collect();
    let places = 0..curves.places.len();
    let intervals = stratified(std::slice::from_ref(&curves.lengths), resamples, |draw| {
        places.clone().map(|place| at(&draw[0], place)).collect()
    });
    let points = intervals.into_iter().enumerate().map(|(place, interval)| Point {
        x: curves.places[place],
        value: at(&all, place),
        interval,
        runs: all.iter().filter(|&&run| curves.values[run][place].is_finite()).count(),
    });
    points.filter(|point| point.runs > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::super::summary::interquartile_mean;
    use super::*;

    #[test]
    fn runs_that_have_not_begun_are_left_out() {
        let curves = Curves {
            places: vec![10.0, 20.0, 30.0],
            lengths: vec![2, 1],
            values: vec![
                vec![f64::NAN, 1.0, 2.0],
                vec![f64::NAN, 3.0, 4.0],
                vec![f64::NAN, f64::NAN, 6.0],
            ],
        };
        let found = curve(&curves, interquartile_mean, 500);
        let points: Vec<_> = found.iter().map(|p| (p.x, p.value, p.runs)).collect();
        assert_eq!(points, [(20.0, 2.0, 2), (30.0, 4.0, 3)]);
        // The second game has one run, so it does not vary.
        let Interval { low, high } = found[1].interval;
        assert!((low - 10.0 / 3.0).abs() < 1e-12, "{low}");
        assert!((high - 14.0 / 3.0).abs() < 1e-12, "{high}");
        assert!(curve(&Curves::default(), interquartile_mean, 10).is_empty());
    }
}
