//! The methods, always with the same name, colour and marker, and the final numbers of their runs.

use deepspi_run::config::Algorithm;

use super::experiment::{Experiment, Record};
use crate::chart::{Colour, Marker};
use crate::stats::{Interval, bootstrap, median};

/// Resamples of each bootstrap interval.
pub const RESAMPLES: usize = 2_000;
/// Seed of the resampling; the runs have seeds of their own.
pub const BOOTSTRAP_SEED: u64 = 1;

/// The methods that the paper compares on the maze, in the order of figures and tables. `DreamSPI` has a
/// figure of its own ([`super::dream`]).
pub const METHODS: [Algorithm; 3] = [Algorithm::Ppo, Algorithm::DeepMdp, Algorithm::DeepSpi];
/// Markers, by the index of the colour.
const MARKERS: [Marker; 4] = [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond];

/// Colour of an algorithm in figures.
pub const fn colour(algo: Algorithm) -> Colour {
    Colour::Series(algo.info().colour)
}

/// Marker of an algorithm in figures.
pub const fn marker(algo: Algorithm) -> Marker {
    MARKERS[algo.info().colour % MARKERS.len()]
}

/// `base` with seeds 1 to `seeds`.
pub fn seeded(base: &Experiment, seeds: u64) -> Vec<Experiment> {
    (1..=seeds).map(|seed| base.clone().with_seed(seed)).collect()
}

/// `base` with every method and seed.
pub fn all_methods(base: &Experiment, seeds: u64) -> Vec<Experiment> {
    let with = |algo| seeded(&base.clone().with_algorithm(algo), seeds);
    METHODS.into_iter().flat_map(with).collect()
}

/// Median over seeds with its 95 % bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Median over seeds.
    pub median: f64,
    /// 95 % percentile bootstrap.
    pub interval: Interval,
    /// Number of runs.
    pub runs: usize,
}

/// Summary of one number per run; `None` without a finite number.
pub fn summary(values: &[f64]) -> Option<Summary> {
    Some(Summary {
        median: median(values)?,
        interval: bootstrap(values, median, RESAMPLES, BOOTSTRAP_SEED)?,
        runs: values.iter().filter(|value| value.is_finite()).count(),
    })
}

/// V(s_I) at the end of a run; NaN for a diverged run.
pub fn final_value(record: &Record) -> f64 {
    end(record).map_or(f64::NAN, |point| point.start_value)
}

/// Relative distance of the stars' latents at the end of a run; NaN for a diverged run.
pub fn final_distance(record: &Record) -> f64 {
    end(record).map_or(f64::NAN, |point| point.relative_star_distance)
}

fn end(record: &Record) -> Option<&super::experiment::Point> {
    if record.failure.is_some() { None } else { record.points.last() }
}
