//! The inputs of a report, and its number of resamples.

use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use crate::stats::{RESAMPLES, RESAMPLES_OF_CURVES};

/// The inputs of a report.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Folder of the sweep.
    pub sweep: &'a Path,
    /// Folder of the report.
    pub out: &'a Path,
    /// Published scores to compare with.
    pub baselines: Option<&'a Path>,
    /// Whether files that do not belong to an earlier report on the same sweep are replaced.
    pub overwrite: bool,
    /// Arguments of the command that requested the report, printed on the page.
    pub arguments: Vec<OsString>,
    /// Resamples of the bootstrap.
    pub effort: Effort,
}

/// Resamples of the bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Effort {
    /// For aggregates and probabilities of improvement.
    pub resamples: usize,
    /// For profiles and curves.
    pub resamples_of_curves: usize,
}

impl Effort {
    /// The numbers that are usual in the field.
    pub const FULL: Self = Self { resamples: RESAMPLES, resamples_of_curves: RESAMPLES_OF_CURVES };
}
