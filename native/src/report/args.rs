//! Flags of `report`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `report`.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// Folder of the sweep, as made by `native bench`.
    #[arg(value_name = "SWEEP")]
    pub sweep: PathBuf,
    /// Folder for the report; default: `report` in the folder of the sweep. A report on the same
    /// sweep is replaced, anything else only with --overwrite.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Published scores to compare with, in the format of CleanRL's result table (CSV).
    #[arg(long, value_name = "FILE")]
    pub baselines: Option<PathBuf>,
    /// Replace files that were not written by a report on this sweep.
    #[arg(long)]
    pub overwrite: bool,
}
