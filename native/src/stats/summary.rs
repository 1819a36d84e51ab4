//! Summaries over seeds: medians and quantiles, with intervals for few seeds.
//!
//! NaN and infinite values are left out everywhere, and a summary without a finite value is `None`.
//! The caller, who sees `n`, must count and report diverged runs; one of them must not turn a whole
//! figure into NaN. The bootstrap uses a generator with a given seed, so an interval is the same in
//! every run and on every machine.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Share of the resampled statistics inside an interval.
const CONFIDENCE: f64 = 0.95;

/// A statistic with its interval, at one point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BandPoint {
    /// Position on the horizontal axis.
    pub x: f64,
    /// Median over seeds.
    pub median: f64,
    /// Lower end of the interval of the median.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Number of seeds with a finite value here.
    pub n: usize,
}

/// Ends of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Median and quartiles of repeated values, as [`quantile`] defines them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quartiles {
    /// Half of the values are below it.
    pub median: f64,
    /// A quarter of the values is below it.
    pub low: f64,
    /// Three quarters of the values are below it.
    pub high: f64,
}

impl Quartiles {
    /// Quartiles of the finite values; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let values = sorted(values);
        let at = |share| sorted_quantile(&values, share);
        Some(Self { median: at(0.5)?, low: at(0.25)?, high: at(0.75)? })
    }
}

/// The arithmetic mean.
pub fn mean(values: &[f64]) -> Option<f64> {
    average(&finite(values))
}

/// The middle value, or the mean of the two middle ones.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The value below which `share` of the values lie.
///
/// With `n` sorted values it is at position `share * (n - 1)`, counted from 0; between two
/// positions it is interpolated linearly. This is type 7 of Hyndman and Fan, the default of R and
/// `NumPy`, and the only definition of quartiles here. A share outside 0 to 1 is clamped.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    sorted_quantile(&sorted(values), share)
}

/// The mean of the middle half: the lowest and the highest quarter are left out, each rounded down
/// to an integer number of values, as in `scipy.stats.trim_mean` with 0.25.
pub fn interquartile_mean(values: &[f64]) -> Option<f64> {
    let values = sorted(values);
    let cut = values.len() / 4;
    average(&values[cut..values.len() - cut])
}

/// The percentile bootstrap: a 95 % interval of any statistic.
///
/// With a single value both ends are the statistic of that value. This says nothing about the
/// spread, and a report of the interval must say so. Resamples for which the statistic is `None`
/// are left out.
pub fn bootstrap(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> Option<f64>,
    resamples: usize,
    seed: u64,
) -> Option<Interval> {
    let values = finite(values);
    let whole = statistic(&values)?;
    if values.len() < 2 || resamples == 0 {
        return Some(Interval { low: whole, high: whole });
    }
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut sample = vec![0.0; values.len()];
    let mut results = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        // 32 bits, because the draw of a `usize` depends on the word size of the machine.
        sample.fill_with(|| values[generator.random_range(0..values.len() as u32) as usize]);
        results.extend(statistic(&sample));
    }
    percentile_interval(&results)
}

/// The 95 % interval of resampled statistics: from the value below which 2.5 % of them lie to the
/// value above which 2.5 % lie.
pub fn percentile_interval(results: &[f64]) -> Option<Interval> {
    let results = sorted(results);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some(Interval {
        low: sorted_quantile(&results, tail)?,
        high: sorted_quantile(&results, 1.0 - tail)?,
    })
}

/// Median over seeds with its 95 % interval, at each position that any of the curves has.
///
/// Curves are compared at exactly equal `x`. If one of them has no finite value there, the others
/// are used and `n` is their number. Each position has its own stream of random numbers, so that a
/// longer curve does not change the intervals of a shorter one. If a curve has a position twice,
/// the later value counts.
pub fn band_over_seeds(curves: &[Vec<(f64, f64)>], resamples: usize, seed: u64) -> Vec<BandPoint> {
    let mut places: Vec<f64> = curves.iter().flatten().map(|point| point.0).collect();
    places.retain(|x| x.is_finite());
    places.sort_by(f64::total_cmp);
    places.dedup();
    let at = |x: f64| -> Vec<f64> {
        let value = |curve: &Vec<(f64, f64)>| {
            curve.iter().rev().find(|point| point.0 == x).map(|point| point.1)
        };
        curves.iter().filter_map(value).filter(|y| y.is_finite()).collect()
    };
    let point = |x: f64| {
        let values = at(x);
        let Interval { low, high } = bootstrap(&values, median, resamples, seed ^ x.to_bits())?;
        Some(BandPoint { x, median: median(&values)?, low, high, n: values.len() })
    };
    places.into_iter().filter_map(point).collect()
}

fn finite(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| value.is_finite()).collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = finite(values);
    values.sort_by(f64::total_cmp);
    values
}

fn average(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn sorted_quantile(values: &[f64], share: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let index = place as usize;
    let next = (index + 1).min(last);
    Some(values[index] + (place - index as f64) * (values[next] - values[index]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: Option<f64>, expected: f64) {
        let value = value.expect("a value");
        assert!((value - expected).abs() < 1e-12, "{value} is not {expected}");
    }

    #[test]
    fn summaries_agree_with_hand_computed_values() {
        let values = [7.0, 1.0, 3.0, 10.0];
        close(mean(&values), 5.25);
        close(median(&values), 5.0);
        // Sorted 1 3 7 10: at position 0.25 * 3 = 0.75 between 1 and 3.
        close(quantile(&values, 0.25), 2.5);
        close(quantile(&values, 0.9), 7.0 + 0.7 * 3.0);
        close(quantile(&values, 0.0), 1.0);
        close(quantile(&values, 7.0), 10.0);
        // numpy.percentile([7, 1, 3, 10], [25, 50, 75]) is [2.5, 5, 7.75].
        let quartiles = Quartiles { median: 5.0, low: 2.5, high: 7.75 };
        assert_eq!(Quartiles::of(&values), Some(quartiles));
        close(interquartile_mean(&values), 5.0);
        // Seven values: one is cut at each end.
        close(interquartile_mean(&[100.0, 2.0, 3.0, 4.0, 5.0, 6.0, -100.0]), 4.0);
        close(interquartile_mean(&[1.0, 2.0, 6.0]), 3.0);
        close(median(&[3.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn what_is_not_finite_is_left_out_and_nothing_is_none() {
        close(mean(&[f64::NAN, 2.0, f64::INFINITY, 4.0]), 3.0);
        close(median(&[f64::NAN, 2.0]), 2.0);
        for values in [&[][..], &[f64::NAN]] {
            assert!(mean(values).is_none() && median(values).is_none());
            assert!(quantile(values, 0.25).is_none() && Quartiles::of(values).is_none());
            assert!(interquartile_mean(values).is_none());
            assert!(bootstrap(values, median, 100, 0).is_none());
        }
    }

    #[test]
    fn quartiles_lie_between_values_where_no_value_is_at_their_place() {
        let of = |values: &[f64]| Quartiles::of(values).map(|q| [q.low, q.median, q.high]);
        assert_eq!(of(&[3.0]), Some([3.0; 3]));
        assert_eq!(of(&[4.0, 0.0]), Some([1.0, 2.0, 3.0]));
        assert_eq!(of(&[0.0, 4.0, f64::NAN, 8.0]), Some([2.0, 4.0, 6.0]));
        assert_eq!(of(&[5.0, 1.0, 4.0, 2.0, 3.0]), Some([2.0, 3.0, 4.0]));
    }

    #[test]
    fn the_interval_of_a_single_value_is_that_value() {
        assert_eq!(bootstrap(&[3.5], median, 100, 0), Some(Interval { low: 3.5, high: 3.5 }));
    }

    #[test]
    fn the_interval_is_the_same_each_time_and_as_wide_as_it_should_be() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let first = bootstrap(&values, mean, 4000, 7).expect("an interval");
        assert_eq!(Some(first), bootstrap(&values, mean, 4000, 7));
        assert_ne!(Some(first), bootstrap(&values, mean, 4000, 8));
        // The standard deviation of the values is 28.866 and that of their mean 2.8866; the normal
        // ends are at 1.96 of it.
        assert!((first.low - (49.5 - 1.96 * 2.8866)).abs() < 0.4, "{first:?}");
        assert!((first.high - (49.5 + 1.96 * 2.8866)).abs() < 0.4, "{first:?}");
    }

    #[test]
    fn two_values_give_an_interval_over_both() {
        // Half of the resamples contain both values, and a quarter contains either value twice.
        let interval = bootstrap(&[1.0, 2.0], median, 1000, 0).expect("an interval");
        assert_eq!(interval, Interval { low: 1.0, high: 2.0 });
    }

    #[test]
    fn a_band_uses_the_seeds_that_are_there() {
        let curves = [
            vec![(0.0, 1.0), (10.0, 5.0), (20.0, f64::NAN)],
            vec![(0.0, 3.0), (10.0, 7.0)],
            vec![(0.0, 2.0), (20.0, 9.0), (30.0, f64::NAN)],
        ];
        let band = band_over_seeds(&curves, 500, 1);
        let found: Vec<_> = band.iter().map(|p| (p.x, p.median, p.n)).collect();
        assert_eq!(found, [(0.0, 2.0, 3), (10.0, 6.0, 2), (20.0, 9.0, 1)]);
        assert_eq!((band[0].low, band[0].high), (1.0, 3.0));
        assert_eq!((band[2].low, band[2].high), (9.0, 9.0), "a single seed has no spread");
        let shorter: Vec<_> = curves.iter().map(|curve| curve[..1].to_vec()).collect();
        assert_eq!(band_over_seeds(&shorter, 500, 1), band[..1]);
        assert!(band_over_seeds(&[], 500, 1).is_empty());
    }
}
