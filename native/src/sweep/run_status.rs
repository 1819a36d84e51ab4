//! Progress of one run of a sweep, read from its folder alone.
//!
//! The folder may be written at the same time by another process, perhaps on another machine. A
//! missing or incomplete file therefore means "not yet" and is never an error. Only the end of each
//! log is read, because a sweep has hundreds of logs.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use deepspi_run::run_files::CHECKPOINTS;

use super::record::{RECORD, RecordedStatus, RunRecord, this_host};
use super::specification::RunId;
use crate::run::checkpoints::CheckpointStore;
use crate::run::folder::{METRICS, read_config};
use crate::run::lock;
use crate::run::output::last_position;

/// A run that another machine has not written to for this long counts as interrupted. This is
/// longer than an iteration, and longer than file servers delay the visibility of writes.
const SILENCE: Duration = Duration::from_secs(600);

/// State of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Not begun, or interrupted: the next `native bench` continues it.
    Waiting,
    /// A process trains it now.
    Running,
    /// Its processes failed as often as allowed.
    Failed,
    /// All steps are done.
    Finished,
}

/// Progress of a run.
#[derive(Clone, Debug)]
pub struct RunStatus {
    /// The run.
    pub id: RunId,
    /// Its state.
    pub state: RunState,
    /// Agent steps of the last iteration that counts.
    pub step: u64,
    /// Agent steps at its end.
    pub total: u64,
    /// Whether its last checkpoint exists, or one of a later step, because the run may have been
    /// made longer.
    pub saved: bool,
    /// Agent steps per second of the process that wrote the last iteration.
    pub steps_per_second: Option<f64>,
    /// The sweep's record of the run.
    pub record: Option<RunRecord>,
}

impl RunStatus {
    /// Reads the folder of a run in `sweep`, the folder of the sweep. `total` is the number of
    /// steps of a run that has no folder yet.
    #[must_use]
    pub fn read(sweep: &Path, id: RunId, total: u64) -> Self {
        let folder = id.folder(sweep);
        let record = RunRecord::read(&folder);
        let total = steps_of(&folder).unwrap_or(total);
        let (step, steps_per_second) = last_position(&folder.join(METRICS)).unwrap_or_default();
        // The number of checkpoints to keep does not matter, because this only reads.
        let saved = CheckpointStore::new(folder.join(CHECKPOINTS), 1).reaches(total);
        let all_steps = step >= total;
        let state = if all_steps && saved {
            RunState::Finished
        } else if is_trained(&folder, record.as_ref()) {
            RunState::Running
        } else if record.as_ref().is_some_and(|r| r.status == RecordedStatus::Failed) {
            RunState::Failed
        } else if all_steps {
            // The folder may be a copy without the checkpoints.
            RunState::Finished
        } else {
            RunState::Waiting
        };
        Self { id, state, step, total, saved, steps_per_second, record }
    }

    /// Whether nothing is left to do: the log and the last checkpoint are complete. A run that was
    /// killed between the two repeats its last steps.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == RunState::Finished && self.saved
    }
}

/// Agent steps of a run, in whole iterations.
fn steps_of(run: &Path) -> Option<u64> {
    let config = read_config(run).ok()?;
    Some(config.whole_steps())
}

/// Whether a process trains the run in this folder, as far as the lock and `record`, the record in
/// the folder, can tell.
#[must_use]
pub fn is_trained(run: &Path, record: Option<&RunRecord>) -> bool {
    lock::is_held(run) || writes_elsewhere(run, record)
}

/// Whether another machine seems to train the run. Locks do not work across all shared file
/// systems, so the times of its files are used: of the log, or of the record of its start if that
/// is newer.
fn writes_elsewhere(run: &Path, record: Option<&RunRecord>) -> bool {
    let elsewhere =
        record.is_some_and(|r| r.status == RecordedStatus::Running && r.host != this_host());
    let written = |name| fs::metadata(run.join(name)).ok()?.modified().ok();
    let last = [METRICS, RECORD].into_iter().filter_map(written).max();
    // The other machine's clock may be ahead of this one's.
    let age = |time: SystemTime| time.elapsed().unwrap_or_default();
    elsewhere && last.is_some_and(|time| age(time) < SILENCE)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::super::specification::tests::tiny;
    use super::*;

    /// Makes a folder with the given log in the first run of [`tiny`], and returns that run.
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
        let lock = lock::FolderLock::take(&run).expect("readable").expect("free");
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
        // The machine failed before it wrote a log.
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
