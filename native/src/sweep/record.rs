//! What a sweep records about a run, in the run folder: its processes and their results.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::whole_file::write_whole;

/// File with the state of a run in its sweep, in the run folder.
pub const RECORD: &str = "bench.json";
/// File with the terminal output of the run's processes, in the run folder.
pub const OUTPUT: &str = "output.log";

/// Record of the processes that trained a run of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Number of processes that were started for the run.
    pub attempts: u64,
    /// Name of the machine of the last process.
    pub host: String,
    /// Result of the last process.
    pub status: RecordedStatus,
    /// Exit code of the last process; `None` while it runs, or if a signal ended it.
    pub exit_code: Option<i32>,
    /// Total running time in seconds of the processes whose end was recorded.
    pub seconds: f64,
    /// Last lines of output of the last process that failed.
    pub last_error: Option<String>,
}

/// State of the newest process of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordedStatus {
    /// It was started. If no process trains in the folder any more, it was killed together with its
    /// parent.
    #[default]
    Running,
    /// It was asked to stop, and saved.
    Stopped,
    /// It failed.
    Failed,
    /// It reached the end of the run.
    Done,
}

impl RunRecord {
    /// The record of a first process on this machine.
    #[must_use]
    pub fn started_here() -> Self {
        Self { attempts: 1, host: this_host(), ..Self::default() }
    }

    /// Reads the record in a run folder; a damaged record counts as none.
    #[must_use]
    pub fn read(run: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(run.join(RECORD)).ok()?).ok()
    }

    /// Writes the record into a run folder.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn save(&self, run: &Path) -> Result<()> {
        write_whole(&run.join(RECORD), &serde_json::to_vec_pretty(self)?)
    }
}

/// Name of this machine.
#[must_use]
pub fn this_host() -> String {
    hostname::get().map_or_else(|_| "unknown".into(), |name| name.to_string_lossy().into_owned())
}
