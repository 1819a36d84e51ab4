//! Statistics of finished runs, as pure functions of numbers: summaries over seeds, comparisons of
//! algorithms over many games and few seeds, and the reference scores for normalising returns.
//!
//! The comparisons are those that are standard in the field since rliable. The definitions are
//! those of `google-research/rliable` (Agarwal et al., "Deep reinforcement learning at the edge of
//! the statistical precipice", 2021) and of `scipy.stats`; `tests/rliable.rs` compares the numbers
//! with theirs. What must not be broken: a score that is NaN or infinite is an error in a
//! comparison and is never left out silently, and every interval is the same on every machine and
//! with any number of threads.

mod aggregate;
mod bootstrap;
mod curve;
mod improvement;
mod paired;
mod profile;
pub mod reference_scores;
mod scores;
mod summary;

pub use aggregate::{Metric, Summary, aggregates};
pub use bootstrap::{RESAMPLES, RESAMPLES_OF_CURVES, stratified};
pub use curve::{Curves, Point, curve};
pub use improvement::{improvement, improvement_interval};
pub use paired::{Paired, Wilcoxon, paired, wilcoxon};
pub use profile::{profile, profile_with_band, thresholds};
pub use scores::{Row, ScoreMatrix, Scored};
pub use summary::{
    BandPoint, Interval, Quartiles, band_over_seeds, bootstrap, interquartile_mean, mean, median,
    percentile_interval, quantile,
};
