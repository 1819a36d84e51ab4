//! A run that is killed at any moment can be continued, and loses at most the steps since its last
//! save.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{ITERATION, checkpoints, finish, finished, only_run, resume, tiny};

/// Agent steps between checkpoints.
const SAVE_EVERY: u64 = 2 * ITERATION;
/// Longer than any wait of these tests on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A training process that is killed at the end of the test.
struct Running(Option<Child>);

impl Running {
    fn start(command: &mut Command) -> Self {
        let command = command.args(["--save-every", &SAVE_EVERY.to_string()]);
        Self(Some(
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program starts"),
        ))
    }

    fn id(&self) -> String {
        self.0.as_ref().map_or_else(String::new, |child| child.id().to_string())
    }

    fn wait(mut self) -> Output {
        self.0
            .take()
            .expect("still owned")
            .wait_with_output()
            .expect("the program can be waited for")
    }

    /// Kills the process, like a power failure.
    fn kill(mut self) {
        let mut child = self.0.take().expect("still owned");
        child.kill().expect("the program runs until it is killed");
        child.wait().expect("the program can be waited for");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Polls until `found` returns a value.
#[track_caller]
fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "{what} did not happen within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The steps that messages of the given kind carry, in the order of `metrics.jsonl`.
fn steps(run: &Path, kind: &str) -> Vec<u64> {
    let text = fs::read(run.join("metrics.jsonl")).expect("a run has metrics");
    String::from_utf8_lossy(&text)
        .lines()
        // A kill may leave an incomplete line; the next process ends it.
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["type"] == kind)
        .filter_map(|message| message["global_step"].as_u64())
        .collect()
}

fn started(folder: &Path) -> (Running, PathBuf) {
    let runs = folder.join("runs");
    let running = Running::start(tiny(&runs).args(["--total-timesteps", "1000000"]));
    let run = wait_for("the first checkpoint", || {
        let run = fs::read_dir(&runs).ok()?.next()?.ok()?.path();
        (!checkpoints(&run).is_empty()).then_some(run)
    });
    assert_eq!(only_run(&runs), run);
    (running, run)
}

#[test]
fn killed_ten_times_it_always_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut running, run) = started(folder.path());
    for round in 0..10_u64 {
        // The delays are spread over the time between two checkpoints, so that some kills happen
        // while one is written.
        std::thread::sleep(Duration::from_millis(37 * (round % 5)));
        running.kill();
        let reached =
            *steps(&run, "iteration").last().expect("iterations were reported before the kill");
        let resumes = steps(&run, "resumed").len();
        running = Running::start(resume(&run).args(["--total-timesteps", "1000000"]));
        let from = wait_for("the continuation", || steps(&run, "resumed").get(resumes).copied());
        assert!(
            reached - from.min(reached) < SAVE_EVERY + ITERATION,
            "round {round}: killed after step {reached} it went on at {from}, so more was lost than was \
             not yet due to be saved (every {SAVE_EVERY}, iterations of {ITERATION})"
        );
        // In the last rounds the process is killed while it starts.
        if round < 5 {
            wait_for("progress", || {
                steps(&run, "iteration").last().filter(|step| **step > reached).copied()
            });
        }
    }
    running.kill();
    let newest = *checkpoints(&run).last().expect("checkpoints survive");
    let end = newest + 2 * ITERATION;
    finish(resume(&run).args(["--total-timesteps", &end.to_string()])).succeeded();
    assert_eq!(checkpoints(&run).last(), Some(&end), "the continued run must save its end");
    let half: Vec<_> = common::entries(&run.join("checkpoints"))
        .into_iter()
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".writing"))
        })
        .collect();
    assert!(
        half.is_empty(),
        "half-written checkpoints of killed processes must not pile up: {half:?}"
    );
}

#[test]
fn sigterm_saves_the_last_iteration_and_exits_with_0() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (running, run) = started(folder.path());
    let status = Command::new("kill").args(["-TERM", &running.id()]).status().expect("kill exists");
    assert!(status.success(), "the signal must reach the program");
    let end = finished(&running.wait());
    end.succeeded();
    assert!(
        end.stderr.contains("stopping after this iteration"),
        "the stop must be said: {}",
        end.stderr
    );
    let last = *steps(&run, "iteration").last().expect("iterations were reported");
    assert_eq!(
        checkpoints(&run).last(),
        Some(&last),
        "a stop must save the last iteration: {}",
        end.stderr
    );
}

#[test]
fn what_a_killed_process_left_half_written_is_cleared() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    finish(tiny(&runs).args(["--total-timesteps", "16"])).succeeded();
    let run = only_run(&runs);
    // The process was killed while it saved at a step where the continued run does not save.
    let half = run.join("checkpoints").join(".writing_step_000000000017");
    fs::create_dir(&half).expect("created");
    fs::write(half.join("model.safetensors"), "half").expect("written");
    finish(resume(&run).args(["--total-timesteps", "32"])).succeeded();
    assert!(
        !half.exists(),
        "a half-written checkpoint has the size of a whole one and is of no use to anybody"
    );
    assert_eq!(checkpoints(&run), [16, 32], "finished checkpoints must stay");
}
