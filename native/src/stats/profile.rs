//! Performance profiles: the share of runs with more than a given score.

use super::bootstrap::stratified;
use super::curve::Point;
use super::scores::ScoreMatrix;

/// 81 thresholds from 0 to 8 human-normalised scores, as in rliable's example.
#[must_use]
pub fn thresholds() -> Vec<f64> {
    (0..=80).map(|i| f64::from(i) * 0.1).collect()
}

/// Share of the runs of all games with a score above each threshold.
#[must_use]
pub fn profile(scores: &ScoreMatrix, thresholds: &[f64]) -> Vec<f64> {
    shares(scores.pooled(), thresholds)
}

/// The profile with its pointwise 95 % band.
#[must_use]
pub fn profile_with_band(scores: &ScoreMatrix, thresholds: &[f64], resamples: usize) -> Vec<Point> {
    let pooled = scores.pooled();
    let intervals = stratified(&[scores.lengths()], resamples, |draw| {
        shares(draw[0].iter().map(|&place| pooled[place]).collect(), thresholds)
    });
    let points = thresholds.iter().zip(profile(scores, thresholds)).zip(intervals);
    points.map(|((&x, value), interval)| Point { x, value, interval, runs: pooled.len() }).collect()
}

fn shares(mut scores: Vec<f64>, thresholds: &[f64]) -> Vec<f64> {
    scores.sort_by(f64::total_cmp);
    let share = |tau: &f64| {
        let above = scores.len() - scores.partition_point(|score| score <= tau);
        above as f64 / scores.len() as f64
    };
    thresholds.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_at_the_threshold_is_not_above_it() {
        let found = shares(vec![1.0, 0.0, 2.0, 0.5], &[0.0, 0.5, 0.75, 2.0, 8.0]);
        assert_eq!(found, [0.75, 0.5, 0.5, 0.0, 0.0]);
        assert_eq!(thresholds().len(), 81);
        assert_eq!(thresholds().last(), Some(&8.0));
    }
}
