//! What a report is made of, and how thoroughly.

use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use crate::stats::{RESAMPLES, RESAMPLES_OF_CURVES};

/// What a report is made of.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Folder of the sweep.
    pub sweep: &'a Path,
    /// Folder of the report.
    pub out: &'a Path,
    /// Published scores to set beside.
    pub baselines: Option<&'a Path>,
    /// Replace files that are not of an earlier report on the same sweep.
    pub overwrite: bool,
    /// Arguments of the command that asked for it, for the page.
    pub arguments: Vec<OsString>,
    /// Resamples of the intervals.
    pub effort: Effort,
}

/// Resamples of the bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Effort {
    /// Of aggregates and probabilities of improvement.
    pub resamples: usize,
    /// Of profiles and curves.
    pub resamples_of_curves: usize,
}

impl Effort {
    /// As many as the field uses.
    pub const FULL: Self = Self { resamples: RESAMPLES, resamples_of_curves: RESAMPLES_OF_CURVES };
}
