//! Aggregates over all games: IQM, median, mean and optimality gap.

use serde::Serialize;

use super::bootstrap::stratified;
use super::scores::ScoreMatrix;
use super::summary::{Interval, interquartile_mean, mean, median};

/// An aggregate of a score matrix, with rliable's definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// 25 % trimmed mean of all runs of all games pooled.
    Iqm,
    /// Median over games of the mean over runs.
    Median,
    /// Mean over games of the mean over runs.
    Mean,
    /// Mean shortfall of the runs from 1; a run above 1 counts as 1. Lower is better.
    OptimalityGap,
}

impl Metric {
    /// All aggregates, in the order of rliable's figures.
    pub const ALL: [Self; 4] = [Self::Median, Self::Iqm, Self::Mean, Self::OptimalityGap];

    /// Name in tables and figures.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Iqm => "IQM",
            Self::Median => "median",
            Self::Mean => "mean",
            Self::OptimalityGap => "optimality gap",
        }
    }

    /// The aggregate of all runs.
    #[must_use]
    pub fn value(self, scores: &ScoreMatrix) -> f64 {
        self.of(&scores.pooled(), &scores.lengths())
    }

    /// The aggregate of finite pooled scores, sorted game after game, with the number of runs of
    /// each game; NaN without scores.
    fn of(self, pooled: &[f64], lengths: &[usize]) -> f64 {
        let per_game = || {
            let mut rest = pooled;
            let mut means = Vec::with_capacity(lengths.len());
            for &runs in lengths {
                let (row, others) = rest.split_at(runs);
                means.extend(mean(row));
                rest = others;
            }
            means
        };
        let value = match self {
            Self::Iqm => interquartile_mean(pooled),
            Self::Median => median(&per_game()),
            Self::Mean => mean(&per_game()),
            Self::OptimalityGap => {
                let capped: Vec<f64> = pooled.iter().map(|score| score.min(1.0)).collect();
                mean(&capped).map(|mean| 1.0 - mean)
            }
        };
        value.unwrap_or(f64::NAN)
    }
}

/// A metric with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The aggregate.
    pub metric: Metric,
    /// Its value over all runs.
    pub value: f64,
    /// 95 % interval of the stratified bootstrap; its width is 0 if every game has a single run.
    pub interval: Interval,
}

/// All metrics of an algorithm, in the order of [`Metric::ALL`].
#[must_use]
pub fn aggregates(scores: &ScoreMatrix, resamples: usize) -> Vec<Summary> {
    let (pooled, lengths) = (scores.pooled(), scores.lengths());
    let intervals = stratified(std::slice::from_ref(&lengths), resamples, |draw| {
        let sample: Vec<f64> = draw[0].iter().map(|&place| pooled[place]).collect();
        Metric::ALL.map(|metric| metric.of(&sample, &lengths)).to_vec()
    });
    let summary = |(metric, interval): (Metric, Interval)| Summary {
        metric,
        value: metric.value(scores),
        interval,
    };
    Metric::ALL.into_iter().zip(intervals).map(summary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_agree_with_hand_computed_values() {
        // Games with 2, 1 and 3 runs; means 1, 4 and 0.
        let (pooled, lengths) = ([0.5, 1.5, 4.0, -1.0, 0.0, 1.0], [2, 1, 3]);
        let of = |metric: Metric| metric.of(&pooled, &lengths);
        // Sorted -1 0 0.5 1 1.5 4: one value is cut at each end.
        assert!((of(Metric::Iqm) - 0.75).abs() < 1e-12);
        assert!((of(Metric::Median) - 1.0).abs() < 1e-12);
        assert!((of(Metric::Mean) - 5.0 / 3.0).abs() < 1e-12);
        // Capped at 1: 0.5 1 1 -1 0 1.
        assert!((of(Metric::OptimalityGap) - (1.0 - 2.5 / 6.0)).abs() < 1e-12);
    }
}
