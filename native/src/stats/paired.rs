//! Compares two algorithms game by game: the Wilcoxon signed-rank test and the mean difference.

use serde::Serialize;

use super::bootstrap::RESAMPLES;
use super::summary::{Interval, bootstrap, mean};

/// Seed of the resampling of games.
const SEED: u64 = 1;
/// Up to this number of pairs the distribution is exact for any ranks (`scipy` enumerates all
/// signs).
const EXACT: usize = 13;
/// Up to this number of pairs it is exact if all ranks differ and no difference is 0.
const EXACT_WITHOUT_TIES: usize = 50;

/// Result of the Wilcoxon signed-rank test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Wilcoxon {
    /// The smaller of the two sums of ranks.
    pub statistic: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// Number of differences that are not 0.
    pub n: usize,
    /// Whether `p` is exact, and not from the normal approximation.
    pub exact: bool,
}

/// A paired comparison over games.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// Mean difference.
    pub mean: f64,
    /// Its 95 % bootstrap interval; games are resampled.
    pub interval: Interval,
    /// Number of games compared.
    pub games: usize,
    /// `None` if all differences are 0.
    pub wilcoxon: Option<Wilcoxon>,
}

/// Compares finite differences, one per game; `None` without any.
#[must_use]
pub fn paired(differences: &[f64]) -> Option<Paired> {
    Some(Paired {
        mean: mean(differences)?,
        interval: bootstrap(differences, mean, RESAMPLES, SEED)?,
        games: differences.len(),
        wilcoxon: wilcoxon(differences),
    })
}

/// The two-sided Wilcoxon signed-rank test with the defaults of `scipy.stats.wilcoxon` (from 1.13).
/// Differences of 0 are dropped, and equal ones share their mean rank. The test is exact for up to
/// 13 differences, or for up to 50 without ties and zeros; otherwise it uses the normal
/// approximation with the correction for ties and without the correction for continuity. `None` if
/// no difference is left.
#[must_use]
pub fn wilcoxon(differences: &[f64]) -> Option<Wilcoxon> {
    let mut kept: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let n = kept.len();
    if n == 0 {
        return None;
    }
    kept.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    // Twice the rank is an integer even if a rank is shared.
    let mut doubled = Vec::with_capacity(n);
    let mut tie_correction = 0.0;
    for group in kept.chunk_by(|a, b| a.abs() == b.abs()) {
        let first = doubled.len() + 1;
        doubled.extend(std::iter::repeat_n(2 * first + group.len() - 1, group.len()));
        let t = group.len() as f64;
        tie_correction += t * t * t - t;
    }
    let positive = kept.iter().zip(&doubled).filter(|(d, _)| **d > 0.0);
    let plus: usize = positive.map(|(_, rank)| rank).sum();
    let minus = n * (n + 1) - plus;
    let smaller = plus.min(minus);
    let all = differences.len();
    let distinct = tie_correction == 0.0 && n == all;
    let exact = all <= EXACT || (all <= EXACT_WITHOUT_TIES && distinct);
    let p = if exact {
        exact_p(&doubled, smaller)
    } else {
        let count = n as f64;
        let variance = (count * (count + 1.0) * (2.0 * count + 1.0) - tie_correction / 2.0) / 24.0;
        let z = (smaller as f64 / 2.0 - count * (count + 1.0) / 4.0) / variance.sqrt();
        libm::erfc(z.abs() / std::f64::consts::SQRT_2)
    };
    Some(Wilcoxon { statistic: smaller as f64 / 2.0, p, n, exact })
}

/// Twice the share of all assignments of signs whose positive ranks sum to at most `smaller`. The
/// distribution is symmetric, so this is the two-sided p.
fn exact_p(doubled: &[usize], smaller: usize) -> f64 {
    // Number of subsets by their sum; there are at most 2^50 subsets, which `f64` counts exactly.
    let mut ways = vec![0.0; doubled.iter().sum::<usize>() + 1];
    ways[0] = 1.0;
    for &rank in doubled {
        for sum in (rank..ways.len()).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    let below: f64 = ways[..=smaller].iter().sum();
    (2.0 * below / 2.0_f64.powi(doubled.len() as i32)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_agrees_with_hand_computed_values() {
        // Ranks 1 to 3, all positive: 2 of the 8 assignments are as extreme.
        let found = wilcoxon(&[0.5, 2.0, 1.0]).expect("differences");
        assert_eq!(found, Wilcoxon { statistic: 0.0, p: 0.25, n: 3, exact: true });
        // Ranks 1.5, 1.5 and 3; the positive sum is 1.5. Of the sums 0 1.5 1.5 3 3 4.5 4.5 6 three
        // are at most 1.5.
        let found = wilcoxon(&[1.0, -1.0, -2.0, 0.0]).expect("differences");
        assert_eq!(found, Wilcoxon { statistic: 1.5, p: 0.75, n: 3, exact: true });
        assert_eq!(wilcoxon(&[0.0, 0.0]), None);
    }

    #[test]
    fn balanced_differences_say_nothing() {
        let found = wilcoxon(&[1.0, -2.0, -3.0, 4.0]).expect("differences");
        assert!((found.p - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn a_paired_comparison_has_its_interval() {
        let found = paired(&[1.0, 2.0, 3.0, 6.0]).expect("differences");
        assert!((found.mean - 3.0).abs() < 1e-12 && found.games == 4);
        assert!(found.interval.low >= 1.0 && found.interval.low < 2.0, "{found:?}");
        assert!(found.interval.high > 4.0 && found.interval.high <= 6.0, "{found:?}");
        assert_eq!(paired(&[]), None);
        assert_eq!(paired(&[0.0]).expect("one").wilcoxon, None);
    }
}
