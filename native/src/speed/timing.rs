//! Repeated measurements.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::stats::Quartiles;

/// Quartiles of repeated measurements.
pub(super) fn quartiles(measured: impl Iterator<Item = Result<f64>>) -> Result<Quartiles> {
    let values: Vec<f64> = measured.collect::<Result<_>>()?;
    Quartiles::of(&values).context("nothing was measured; use at least one repetition (--repeats)")
}

/// Milliseconds since `start`.
pub(super) fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
