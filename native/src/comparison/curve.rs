//! Sample efficiency: the IQM over training.

use super::bootstrap::stratified;
use crate::statistics::{BandPoint, interquartile_mean};

/// Scores of the runs of one algorithm at common places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// Agent steps.
    pub places: Vec<f64>,
    /// Runs of each game, in the order of `values`.
    pub lengths: Vec<usize>,
    /// For each run, game after game, its score at each place; NaN where it has none yet.
    pub values: Vec<Vec<f64>>,
}

/// IQM at each place, as `median` of the point, in its pointwise 95 % band; whole curves are drawn
/// again within their game. Runs without a score at a place are left out there, and `n` counts the
/// others; a place without any is left out.
#[must_use]
pub fn iqm_curve(curves: &Curves, resamples: usize) -> Vec<BandPoint> {
    let at = |runs: &[usize], place: usize| -> f64 {
        let values: Vec<f64> = runs.iter().map(|&run| curves.values[run][place]).collect();
        interquartile_mean(&values).unwrap_or(f64::NAN)
    };
    let all: Vec<usize> = (0..curves.values.len()).collect();
    let places = 0..curves.places.len();
    let intervals = stratified(std::slice::from_ref(&curves.lengths), resamples, |draw| {
        places.clone().map(|place| at(&draw[0], place)).collect()
    });
    let points = intervals.into_iter().enumerate().map(|(place, interval)| BandPoint {
        x: curves.places[place],
        median: at(&all, place),
        low: interval.low,
        high: interval.high,
        n: all.iter().filter(|&&run| curves.values[run][place].is_finite()).count(),
    });
    points.filter(|point| point.n > 0).collect()
}

#[cfg(test)]
mod tests {
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
        let found = iqm_curve(&curves, 500);
        let points: Vec<_> = found.iter().map(|p| (p.x, p.median, p.n)).collect();
        assert_eq!(points, [(20.0, 2.0, 2), (30.0, 4.0, 3)]);
        // The second game has one run, which cannot vary.
        let expected = (10.0 / 3.0, 14.0 / 3.0);
        assert!((found[1].low - expected.0).abs() < 1e-12, "{:?}", found[1]);
        assert!((found[1].high - expected.1).abs() < 1e-12, "{:?}", found[1]);
        assert!(iqm_curve(&Curves::default(), 10).is_empty());
    }
}
