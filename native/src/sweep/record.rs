//! What a sweep notes of a run, in the folder of the run: its processes, and what they came to.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::whole_file::write_whole;

/// State of a run in its sweep, in the folder of the run.
pub const RECORD: &str = "bench.json";
/// What the processes of a run wrote to their terminal, in the folder of the run.
pub const OUTPUT: &str = "output.log";

/// What the process that runs a run of a sweep says of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Processes that were started for it.
    pub attempts: u64,
    /// Name of the machine of the last of them.
    pub host: String,
    /// What it came to.
    pub status: RecordedStatus,
    /// Its exit code; none while it runs, or if a signal ended it.
    pub exit_code: Option<i32>,
    /// Seconds that they ran, of those whose end somebody saw.
    pub seconds: f64,
    /// What the last one that failed said last.
    pub last_error: Option<String>,
}

/// What became of the newest process of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordedStatus {
    /// It was started; if nobody trains the folder any more, it was killed together with its parent.
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
    /// A first process on this machine.
    #[must_use]
    pub fn started_here() -> Self {
        Self { attempts: 1, host: this_host(), ..Self::default() }
    }

    /// Reads the record in a run folder; a damaged one counts as none.
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
