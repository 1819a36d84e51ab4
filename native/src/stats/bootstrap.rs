//! The stratified percentile bootstrap: runs are resampled within each game, never across games.
//!
//! Its intervals cover the variation over seeds, for the given games. It resamples indices of runs
//! instead of scores, so that a curve is always resampled as a whole. Each block of resamples has
//! its own stream of the random generator, so the result does not depend on the number of threads.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::summary::{Interval, percentile_interval};

/// Number of resamples for the aggregates and the probability of improvement, rliable's default.
pub const RESAMPLES: usize = 50_000;
/// Number of resamples for performance profiles (rliable's default) and for curves, which have many
/// points.
pub const RESAMPLES_OF_CURVES: usize = 2_000;
/// Seed of every bootstrap here; the runs have their own seeds.
const SEED: u64 = 1;
/// Resamples that share a stream of random numbers.
const BLOCK: usize = 250;

/// 95 % intervals of all numbers that `statistic` computes from a resample.
///
/// `lengths` contains, for each algorithm, the number of runs of each game. A resample contains,
/// for each algorithm, indices into its pooled scores, as many as there are scores. Each index is
/// drawn with replacement within the game of its position, and algorithms are resampled
/// independently. `statistic` must always return the same number of values. With one run per game
/// nothing varies, and both ends are the statistic itself; a report of an interval must therefore
/// give the number of runs.
pub fn stratified(
    lengths: &[Vec<usize>],
    resamples: usize,
    statistic: impl Fn(&[Vec<usize>]) -> Vec<f64> + Sync,
) -> Vec<Interval> {
    let block = |index: usize| {
        let mut generator = ChaCha8Rng::seed_from_u64(SEED);
        generator.set_stream(index as u64);
        let mut draw: Vec<Vec<usize>> =
            lengths.iter().map(|games| Vec::with_capacity(games.iter().sum())).collect();
        let size = BLOCK.min(resamples - index * BLOCK);
        let mut results = Vec::with_capacity(size);
        for _ in 0..size {
            for (places, games) in draw.iter_mut().zip(lengths) {
                places.clear();
                let mut start = 0;
                for &runs in games {
                    // 32 bits, because the draw of a `usize` depends on the word size of the
                    // machine.
                    places.extend(
                        (0..runs).map(|_| start + generator.random_range(0..runs as u32) as usize),
                    );
                    start += runs;
                }
            }
            results.push(statistic(&draw));
        }
        results
    };
    let blocks: Vec<Vec<Vec<f64>>> =
        (0..resamples.div_ceil(BLOCK)).into_par_iter().map(block).collect();
    let results = blocks.concat();
    let count = results.first().map_or(0, Vec::len);
    let interval = |index: usize| {
        let values: Vec<f64> = results.iter().map(|numbers| numbers[index]).collect();
        percentile_interval(&values).unwrap_or(Interval { low: f64::NAN, high: f64::NAN })
    };
    (0..count).into_par_iter().map(interval).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(values: &[f64]) -> impl Fn(&[Vec<usize>]) -> Vec<f64> + Sync {
        move |draw| {
            vec![draw[0].iter().map(|&place| values[place]).sum::<f64>() / values.len() as f64]
        }
    }

    #[test]
    fn draws_stay_within_their_game_and_are_independent_between_algorithms() {
        let lengths = [vec![2, 3], vec![4, 1]];
        let intervals = stratified(&lengths, 700, |draw| {
            assert!(draw[0][..2].iter().all(|&place| place < 2));
            assert!(draw[0][2..].iter().all(|&place| (2..5).contains(&place)));
            assert!(draw[1][..4].iter().all(|&place| place < 4) && draw[1][4] == 4);
            vec![draw[0][0] as f64, draw[1][0] as f64, draw[1][4] as f64]
        });
        let ends: Vec<_> = intervals.iter().map(|i| (i.low, i.high)).collect();
        assert_eq!(ends, [(0.0, 1.0), (0.0, 3.0), (4.0, 4.0)]);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let values: Vec<f64> = (0..20).map(|i| f64::from(i * i)).collect();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a pool").install(|| stratified(&[vec![5; 4]], 1001, mean_of(&values)))
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn the_interval_is_as_wide_as_theory_says() {
        // Two games of 50 runs, 0 to 49 and 1000 to 1049: the difference between the games adds no
        // spread.
        let values: Vec<f64> = (0..50).chain(1000..1050).map(f64::from).collect();
        let found = stratified(&[vec![50, 50]], 20_000, mean_of(&values))[0];
        // The standard deviation within a game is 14.431; that of the mean is 14.431 / sqrt(100).
        let half = 1.96 * 1.4431;
        assert!((found.low - (524.5 - half)).abs() < 0.12, "{found:?}");
        assert!((found.high - (524.5 + half)).abs() < 0.12, "{found:?}");
    }
}
