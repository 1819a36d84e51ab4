//! `native bench status`: the progress of a sweep, read from its folder alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use indicatif::HumanCount;

use super::plan;
use super::progress::summary;
use super::run_status::{RunState, RunStatus};
use super::specification::{SPECIFICATION, Sweep};
use crate::terminal::say;

/// Default folder of sweeps.
pub const SWEEPS: &str = "bench";

/// Runs `native bench status`.
///
/// # Errors
/// If the folder is not a sweep.
pub fn run(folder: Option<&Path>) -> Result<()> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => only_sweep(Path::new(SWEEPS))?,
    };
    let sweep = Sweep::open(&folder)?;
    let mut runs = plan::read(&folder, &sweep)?;
    // Sorted by name, so that the line of a run keeps its place while the run progresses.
    runs.sort_by_key(|run| run.id.to_string());
    for run in &runs {
        say!("{}", describe(run));
    }
    let active = runs.iter().filter(|run| run.state == RunState::Running).count();
    say!("{}: {}", folder.display(), summary(&runs, active, time_left(&runs)));
    Ok(())
}

/// The sweep in a folder, if there is exactly one.
fn only_sweep(parent: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join(SPECIFICATION).exists())
        .collect();
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!(
            "there is no sweep in {}; give its folder: `native bench status DIR`",
            parent.display()
        ),
        several => {
            let names: Vec<_> = several.iter().map(|path| path.display().to_string()).collect();
            bail!("which sweep? Name one of {}", names.join(", "))
        }
    }
}

/// One line describing a run.
fn describe(run: &RunStatus) -> String {
    let state = match run.state {
        RunState::Waiting if run.step > 0 => "interrupted",
        RunState::Waiting => "waiting",
        RunState::Running => "running",
        RunState::Failed => "failed",
        RunState::Finished => "finished",
    };
    let mut text = format!(
        "{:36} {state:11} step {} of {}",
        run.id,
        HumanCount(run.step),
        HumanCount(run.total)
    );
    if let (RunState::Running, Some(speed)) = (run.state, run.steps_per_second) {
        text.push_str(&format!(", {speed:.0} steps/s"));
    }
    let record = run.record.as_ref();
    if let Some(host) = record.map(|r| &r.host).filter(|_| run.state == RunState::Running) {
        text.push_str(&format!(" on {host}"));
    }
    if run.state == RunState::Failed
        && let Some(last) = record.and_then(|r| r.last_error.as_ref()?.lines().last())
    {
        text.push_str(&format!(": {last}"));
    }
    text
}

/// Estimates the remaining time from the pace of the running runs.
fn time_left(runs: &[RunStatus]) -> Option<Duration> {
    let (_, left) = plan::total_and_left(runs);
    let running = runs.iter().filter(|run| run.state == RunState::Running);
    let pace: f64 =
        running.filter_map(|run| Some(run.steps_per_second? * plan::step_cost(run.id.algo))).sum();
    (pace > 0.0).then(|| Duration::try_from_secs_f64(left / pace).ok())?
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::record::{RecordedStatus, RunRecord};
    use super::super::specification::tests::tiny;
    use super::*;

    fn status(state: RunState, step: u64) -> RunStatus {
        RunStatus {
            id: tiny().runs()[2],
            state,
            step,
            total: 32_000,
            saved: false,
            steps_per_second: Some(100.0),
            record: None,
        }
    }

    #[test]
    fn a_line_says_what_matters_in_its_state() {
        let failed = RunStatus {
            record: Some(RunRecord {
                status: RecordedStatus::Failed,
                last_error: Some("exit status: 2\nerror: no ROM".into()),
                ..RunRecord::started_here()
            }),
            ..status(RunState::Failed, 0)
        };
        for (run, words) in [
            (status(RunState::Waiting, 0), "waiting     step 0 of 32,000"),
            (status(RunState::Waiting, 16), "interrupted step 16"),
            (status(RunState::Running, 16), ", 100 steps/s"),
            (failed, ": error: no ROM"),
        ] {
            let line = describe(&run);
            assert!(line.starts_with("Pong__deep-spi__1 ") && line.contains(words), "{line}");
        }
    }

    #[test]
    fn the_time_left_is_that_of_all_runs_at_the_pace_of_the_running() {
        let runs = [status(RunState::Waiting, 0), status(RunState::Running, 12_000)];
        assert_eq!(time_left(&runs), Some(Duration::from_secs(520)));
        assert_eq!(time_left(&runs[..1]), None, "nothing runs");
        let runs = [status(RunState::Failed, 0), status(RunState::Running, 12_000)];
        assert_eq!(time_left(&runs), Some(Duration::from_secs(200)), "a failed run is not done");
    }

    #[test]
    fn a_sweep_need_not_be_named_if_it_is_the_only_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = format!("{:#}", only_sweep(folder.path()).expect_err("none"));
        assert!(error.contains("bench status DIR"), "{error}");
        for name in ["a", "b"] {
            fs::create_dir(folder.path().join(name)).expect("created");
        }
        tiny().save(&folder.path().join("a")).expect("written");
        assert_eq!(only_sweep(folder.path()).expect("one"), folder.path().join("a"));
        tiny().save(&folder.path().join("b")).expect("written");
        let error = format!("{:#}", only_sweep(folder.path()).expect_err("two"));
        assert!(error.contains("which sweep"), "{error}");
    }
}
