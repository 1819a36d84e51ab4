//! How far one run of a sweep is, from its folder alone.
//!
//! Read while another process, perhaps on another machine, writes it: whatever is missing or half
//! written means "not yet", never an error. Only the end of a log is read, for a sweep has hundreds of
//! them and each grows to many megabytes.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use deepspi_run::config::Config;
use deepspi_run::run_files::{CHECKPOINTS, CONFIG};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sweep::RunId;
use crate::checkpoints::CheckpointStore;
use crate::folder_lock;
use crate::output::METRICS;
use crate::settings;
use crate::whole_file::write_whole;

/// State of a run in its sweep, in the folder of the run.
pub const RECORD: &str = "bench.json";
/// What the processes of a run wrote to their terminal, in the folder of the run.
pub const OUTPUT: &str = "output.log";
/// Bytes that are read from the end of a log at a time.
const BLOCK: u64 = 64 * 1024;
/// A run that another machine has not written to for so long was interrupted.
/// Longer than an iteration takes, and than file servers keep what they have not yet shown.
const SILENCE: Duration = Duration::from_secs(600);

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

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Not begun, or begun and interrupted: the next `native bench` goes on with it.
    Waiting,
    /// A process trains it now.
    Running,
    /// Its processes failed as often as they may.
    Failed,
    /// All steps are done.
    Finished,
}

/// How far a run is.
#[derive(Clone, Debug)]
pub struct RunStatus {
    /// Which run.
    pub id: RunId,
    /// How it stands.
    pub state: RunState,
    /// Agent steps of the last iteration that counts.
    pub step: u64,
    /// Agent steps at its end.
    pub total: u64,
    /// Whether its last checkpoint is there, or that of a later step: it may have been made longer.
    pub saved: bool,
    /// Agent steps per second, of the last iteration's process.
    pub steps_per_second: Option<f64>,
    /// What the sweep noted of it.
    pub record: Option<RunRecord>,
}

impl RunStatus {
    /// Reads the folder of a run of `sweep`, the folder of the sweep; `total` is the number of steps
    /// of a run that has no folder yet.
    #[must_use]
    pub fn read(sweep: &Path, id: RunId, total: u64) -> Self {
        let folder = id.folder(sweep);
        let record = RunRecord::read(&folder);
        let total = steps_of(&folder).unwrap_or(total);
        let (step, steps_per_second) = last_position(&folder.join(METRICS)).unwrap_or_default();
        // How many are kept does not matter to who only looks.
        let saved = CheckpointStore::new(folder.join(CHECKPOINTS), 1).reaches(total);
        let all_steps = step >= total;
        let state = if all_steps && saved {
            RunState::Finished
        } else if is_trained(&folder, record.as_ref()) {
            RunState::Running
        } else if record.as_ref().is_some_and(|r| r.status == RecordedStatus::Failed) {
            RunState::Failed
        } else if all_steps {
            // Perhaps a copy without the checkpoints.
            RunState::Finished
        } else {
            RunState::Waiting
        };
        Self { id, state, step, total, saved, steps_per_second, record }
    }

    /// Whether nothing is left to do: the log is complete, and so is what is kept of the agent. A run
    /// that was killed between the two does its last steps again.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == RunState::Finished && self.saved
    }
}

/// Agent steps of a run folder: of whole iterations.
fn steps_of(run: &Path) -> Option<u64> {
    let config = settings::from_file(&run.join(CONFIG), &Config::DEFAULT).ok()?;
    Some(config.whole_steps())
}

/// Where a log stands: agent steps of its newest iteration and their speed, less what a continued run
/// does again.
fn last_position(log: &Path) -> Option<(u64, Option<f64>)> {
    let mut file = File::open(log).ok()?;
    let mut start = file.metadata().ok()?.len();
    let mut tail = Vec::new();
    while start > 0 {
        let length = start.min(BLOCK);
        start -= length;
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut block = vec![0; length as usize];
        file.read_exact(&mut block).ok()?;
        block.extend(&tail);
        tail = block;
        // Before the first line end there may be the rest of a longer line.
        let whole = if start == 0 {
            0
        } else {
            tail.iter().position(|b| *b == b'\n').unwrap_or(tail.len())
        };
        if let Some(found) = tail[whole..].rsplit(|b| *b == b'\n').find_map(position) {
            return Some(found);
        }
        tail.truncate(whole);
    }
    None
}

/// Where a line of the log says the run stands; a line of something else, or half a line, says nothing.
fn position(line: &[u8]) -> Option<(u64, Option<f64>)> {
    let record: Value = serde_json::from_slice(line).ok()?;
    let kind = record["type"].as_str()?;
    // After a continuation the steps of earlier lines are done again: the run stands where it says.
    matches!(kind, "iteration" | "resumed")
        .then(|| Some((record["global_step"].as_u64()?, record["sps"].as_f64())))?
}

/// Whether a process trains the run in this folder, with the record there, as far as anybody can tell.
#[must_use]
pub fn is_trained(run: &Path, record: Option<&RunRecord>) -> bool {
    folder_lock::is_held(run) || writes_elsewhere(run, record)
}

/// Whether another machine seems to train the run. Locks do not reach across all shared file systems,
/// so its files have to tell: the log, or while there is none or an old one, the record of its start.
fn writes_elsewhere(run: &Path, record: Option<&RunRecord>) -> bool {
    let elsewhere =
        record.is_some_and(|r| r.status == RecordedStatus::Running && r.host != this_host());
    let written = |name| fs::metadata(run.join(name)).ok()?.modified().ok();
    let last = [METRICS, RECORD].into_iter().filter_map(written).max();
    // The clock of the other machine may be ahead of this one's.
    let age = |time: SystemTime| time.elapsed().unwrap_or_default();
    elsewhere && last.is_some_and(|time| age(time) < SILENCE)
}

/// Name of this machine.
#[must_use]
pub fn this_host() -> String {
    hostname::get().map_or_else(|_| "unknown".into(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::sweep::tests::tiny;
    use super::*;

    /// A folder with the given log in the first run of [`tiny`], and that run.
    fn with_log(log: &str) -> (tempfile::TempDir, RunId) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let id = tiny().runs()[0];
        let run = id.folder(folder.path());
        fs::create_dir_all(&run).expect("created");
        fs::write(run.join(METRICS), log).expect("written");
        (folder, id)
    }

    fn iteration(step: u64) -> String {
        format!("{{\"type\":\"iteration\",\"global_step\":{step},\"sps\":5.0}}\n")
    }

    #[test]
    fn a_run_without_a_folder_waits() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let status = RunStatus::read(folder.path(), tiny().runs()[0], 32);
        assert_eq!((status.state, status.step, status.total), (RunState::Waiting, 0, 32));
        assert!(!status.is_complete() && status.record.is_none());
    }

    #[test]
    fn half_a_line_and_steps_that_are_done_again_do_not_count() {
        let log = iteration(16) + &iteration(32) + "{\"type\":\"itera";
        let (folder, id) = with_log(&log);
        let status = RunStatus::read(folder.path(), id, 32);
        assert_eq!((status.state, status.step), (RunState::Finished, 32));
        assert!(!status.is_complete(), "its last checkpoint was not written");
        let resumed = log + "\n{\"type\":\"resumed\",\"global_step\":0}\n";
        for (log, step) in [(resumed.clone(), 0), (resumed + &iteration(16), 16)] {
            let (folder, id) = with_log(&log);
            let status = RunStatus::read(folder.path(), id, 32);
            assert_eq!((status.state, status.step), (RunState::Waiting, step));
        }
    }

    #[test]
    fn the_position_is_found_before_much_else() {
        let episode = "{\"type\":\"episode\",\"global_step\":40,\"raw_return\":1.0}\n";
        for count in [0, 1, 1000, 5000] {
            let long = format!("{{\"type\":\"warning\",\"text\":\"{}\"}}\n", "x".repeat(100_000));
            let (folder, id) =
                with_log(&(iteration(16) + &episode.repeat(count) + &long + episode));
            let status = RunStatus::read(folder.path(), id, 32);
            assert_eq!((status.step, status.steps_per_second), (16, Some(5.0)), "{count}");
        }
    }

    #[test]
    fn a_record_comes_back_and_decides_what_the_log_leaves_open() {
        let (folder, id) = with_log(&iteration(16));
        let run = id.folder(folder.path());
        let failed = RunRecord {
            attempts: 3,
            status: RecordedStatus::Failed,
            exit_code: Some(2),
            last_error: Some("no ROM".into()),
            ..RunRecord::started_here()
        };
        failed.save(&run).expect("written");
        assert_eq!(RunRecord::read(&run), Some(failed));
        let state = || RunStatus::read(folder.path(), id, 32).state;
        assert_eq!(state(), RunState::Failed);
        RunRecord::started_here().save(&run).expect("written");
        assert_eq!(state(), RunState::Waiting, "its process was killed: nobody holds the folder");
        let lock = folder_lock::FolderLock::take(&run).expect("readable").expect("free");
        assert_eq!(state(), RunState::Running);
        drop(lock);
        let elsewhere = RunRecord { host: "another".into(), ..RunRecord::started_here() };
        elsewhere.save(&run).expect("written");
        assert_eq!(state(), RunState::Running, "its log has just been written");
        fs::write(run.join(RECORD), "{\"attem").expect("written");
        assert_eq!(state(), RunState::Waiting, "half a record is none");
    }

    #[test]
    fn a_run_elsewhere_is_interrupted_when_nothing_of_it_is_written_any_more() {
        let (folder, id) = with_log(&iteration(16));
        let run = id.folder(folder.path());
        let state = || RunStatus::read(folder.path(), id, 32).state;
        let written = |name: &str, time: SystemTime| {
            let file = File::options().write(true).open(run.join(name)).expect("there");
            file.set_modified(time).expect("set");
        };
        let elsewhere = RunRecord { host: "another".into(), ..RunRecord::started_here() };
        elsewhere.save(&run).expect("written");
        let long_ago = SystemTime::UNIX_EPOCH;
        written(METRICS, long_ago);
        assert_eq!(state(), RunState::Running, "it goes on, and has not logged an iteration yet");
        written(RECORD, long_ago);
        assert_eq!(state(), RunState::Waiting, "its machine is gone");
        let ahead = long_ago + Duration::from_secs(4_000_000_000);
        written(METRICS, ahead);
        assert_eq!(state(), RunState::Running, "its clock is ahead");
        // Its machine went before it wrote a log.
        fs::remove_file(run.join(METRICS)).expect("removed");
        assert_eq!(state(), RunState::Waiting);
        elsewhere.save(&run).expect("written");
        assert_eq!(state(), RunState::Running, "it has just been started");
    }

    #[test]
    fn a_run_that_was_made_longer_is_complete() {
        let (folder, id) = with_log(&(iteration(32) + &iteration(48)));
        let checkpoints = id.folder(folder.path()).join(CHECKPOINTS);
        fs::create_dir_all(checkpoints.join("step_000000000016")).expect("created");
        let complete = || RunStatus::read(folder.path(), id, 32).is_complete();
        assert!(!complete(), "what the sweep wants was not saved");
        fs::create_dir(checkpoints.join("step_000000000048")).expect("created");
        assert!(complete(), "the checkpoint of step 32 has made room for a later one");
    }
}
