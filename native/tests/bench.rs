//! A sweep that is stopped in any way continues with the same command, and every run is trained
//! exactly once.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Finished, ITERATION, TINY, checkpoints, finish, finished, native, resume};
use native::sweep::RecordedStatus;
use native::sweep::{RunRecord, RunState, RunStatus, Sweep};

/// Agent steps of a run.
const STEPS: u64 = 60 * ITERATION;
/// Longer than any wait of these tests on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
const RUNS: [&str; 2] = ["Breakout__deep-spi__1", "Breakout__ppo__1"];

/// A sweep of two tiny runs into `folder`.
fn bench(folder: &Path) -> Command {
    bench_of(folder, "ppo,deep-spi", "1", STEPS)
}

/// A sweep whose runs have `steps` agent steps.
fn bench_of(folder: &Path, algos: &str, seeds: &str, steps: u64) -> Command {
    let suite = folder.join("suite.txt");
    fs::write(&suite, "# one game\nBreakout\n").expect("written");
    let mut command = native();
    command.arg("bench").arg("--suite").arg(suite).arg("--out").arg(folder.join("sweep"));
    command.args(["--algos", algos, "--seeds", seeds, "--jobs", "2", "--device", "cpu"]);
    command.args(["--total-timesteps", &steps.to_string(), "--save-every", "80"]).args(TINY);
    command
}

fn run_folders(folder: &Path) -> [PathBuf; 2] {
    RUNS.map(|name| folder.join("sweep").join("runs").join(name))
}

fn statuses(folder: &Path) -> Vec<RunStatus> {
    let folder = folder.join("sweep");
    let sweep = Sweep::open(&folder).expect("a sweep");
    sweep.runs().into_iter().map(|id| RunStatus::read(&folder, id, STEPS)).collect()
}

fn records(folder: &Path) -> [RunRecord; 2] {
    run_folders(folder).map(|run| RunRecord::read(&run).expect("a record"))
}

#[track_caller]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LIMIT, "{what} did not happen within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A sweep in its own process group, which is killed at the end of the test.
struct Running(Option<Child>);

impl Running {
    fn start(folder: &Path) -> Self {
        let mut command = bench(folder);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        Self(Some(command.spawn().expect("the program starts")))
    }

    fn id(&self) -> u32 {
        self.0.as_ref().expect("still owned").id()
    }

    fn is_alive(&mut self) -> bool {
        matches!(self.0.as_mut().expect("still owned").try_wait(), Ok(None))
    }

    fn signal(&self, signal: &str, target: &str) {
        let status = Command::new("kill").args([signal, "--", target]).status();
        assert!(status.expect("kill exists").success(), "the signal must reach {target}");
    }

    fn wait(mut self) -> Finished {
        let child = self.0.take().expect("still owned");
        finished(&child.wait_with_output().expect("can be waited for"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            self.signal("-KILL", &format!("-{}", child.id()));
            drop(child.wait());
        }
    }
}

/// Starts the sweep and waits until both runs have trained and saved.
fn started(folder: &Path) -> Running {
    let before: Vec<u64> = run_folders(folder).iter().map(|run| newest(run)).collect();
    let mut running = Running::start(folder);
    wait_until("progress of both runs", || {
        assert!(running.is_alive(), "the sweep ended by itself: make STEPS larger");
        run_folders(folder).iter().zip(&before).all(|(run, before)| newest(run) > *before)
    });
    running
}

/// Step of the newest checkpoint.
fn newest(run: &Path) -> u64 {
    checkpoints(run).last().copied().unwrap_or(0)
}

fn nobody_trains(folder: &Path) -> bool {
    statuses(folder).iter().all(|run| run.state != RunState::Running)
}

/// Checks that both runs have saved the last iteration in their log.
#[track_caller]
fn all_is_saved(folder: &Path) {
    for run in statuses(folder) {
        let saved = newest(&run.id.folder(&folder.join("sweep")));
        assert_eq!(saved, run.step, "{} must save when it is stopped", run.id);
    }
}

#[test]
fn a_sweep_survives_whatever_ends_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();

    // A requested stop.
    let running = started(folder);
    // The process group is paused, because the refusals take time and the runs must not end.
    let group = format!("-{}", running.id());
    running.signal("-STOP", &group);
    finish(&mut bench(folder)).refused(&["another `native bench`", "bench status"]);
    let run = run_folders(folder)[0].clone();
    let mut train = native();
    train.args(["train", "--device", "cpu", "--resume"]).arg(&run);
    let second = finish(&mut train);
    assert_eq!(second.code, Some(4), "a run has one process: {}", second.stderr);
    running.signal("-TERM", &running.id().to_string());
    running.signal("-CONT", &group);
    let end = running.wait();
    assert_eq!(end.code, Some(1), "a sweep that is not finished is no success: {}", end.stderr);
    assert!(nobody_trains(folder), "the sweep must not end before its runs");
    all_is_saved(folder);
    assert!(records(folder).iter().all(|record| record.status == RecordedStatus::Stopped));

    // The sweep's own process is killed: the runs notice it, save and end.
    let running = started(folder);
    running.signal("-KILL", &running.id().to_string());
    drop(running.wait());
    wait_until("the end of runs without a sweep", || nobody_trains(folder));
    all_is_saved(folder);

    // All processes are killed at once.
    let running = started(folder);
    running.signal("-KILL", &format!("-{}", running.id()));
    drop(running.wait());
    wait_until("the end of the killed runs", || nobody_trains(folder));
    let status = finish(native().args(["bench", "status"]).arg(folder.join("sweep")));
    status.succeeded();
    assert!(status.stdout.contains("0 of 2 runs finished"), "{}", status.stdout);
    assert_eq!(status.stdout.matches("interrupted").count(), 2, "{}", status.stdout);

    let end = finish(&mut bench(folder));
    end.succeeded();
    assert!(end.stdout.contains("index.html"), "{}", end.stdout);
    let page = fs::read_to_string(folder.join("sweep/report/index.html")).expect("a report");
    assert!(page.contains("2 of 2 runs finished"), "{page}");
    for run in run_folders(folder) {
        steps_are_done_once(&run);
        assert_eq!(newest(&run), STEPS);
    }

    // Nothing is left to do, so nothing is trained.
    let before = run_folders(folder).map(|run| fs::read(run.join("metrics.jsonl")).expect("a log"));
    let records_before = records(folder);
    finish(&mut bench(folder)).succeeded();
    let after = run_folders(folder).map(|run| fs::read(run.join("metrics.jsonl")).expect("a log"));
    assert!(before == after && records_before == records(folder));
    assert!(records_before.iter().all(|r| r.attempts == 4 && r.status == RecordedStatus::Done));
    let status = finish(native().args(["bench", "status"]).arg(folder.join("sweep")));
    assert!(status.stdout.contains("2 of 2 runs finished"), "{}", status.stdout);

    // Another sweep is refused in this folder.
    finish(bench(folder).args(["--gamma", "0.9"]))
        .refused(&["`gamma` is 0.99, not 0.9;", "--overwrite"]);
    finish(bench(folder).args(["--gamma", "0.9", "--dry-run"])).refused(&["--overwrite"]);
    assert!(records_before == records(folder));
}

/// Checks that the iterations in the log of a run are consecutive; after a continuation, from the
/// step in its line.
#[track_caller]
fn steps_are_done_once(run: &Path) {
    let log = fs::read_to_string(run.join("metrics.jsonl")).expect("a log");
    let (mut step, mut resumed) = (0, 0);
    for line in log.lines() {
        // A kill may leave an incomplete line.
        let Ok(record) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let now = || record["global_step"].as_u64().expect("a step");
        match record["type"].as_str() {
            Some("iteration") => {
                assert_eq!(now(), step + ITERATION, "after step {step} in {}", run.display());
                step = now();
            }
            Some("resumed") => {
                assert!(now() <= step, "nothing may be skipped: {step} to {}", now());
                step = now();
                resumed += 1;
            }
            _ => {}
        }
    }
    assert_eq!((step, resumed), (STEPS, 3), "in {}", run.display());
}

#[test]
fn a_run_that_fails_is_tried_three_times_and_harms_no_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let dry = finish(bench(folder).arg("--dry-run"));
    dry.succeeded();
    assert!(dry.stdout.contains("2 of 2 runs to do"), "{}", dry.stdout);
    assert!(!folder.join("sweep").exists(), "a dry run writes nothing");

    let mut command = bench_of(folder, "ppo,deep-spi", "1", 2 * ITERATION);
    finish(&mut command).succeeded();
    let [good, bad] = run_folders(folder);
    fs::remove_dir_all(bad.join("checkpoints")).expect("removed");
    fs::write(bad.join("config.toml"), "gama = 0.9\n").expect("written");
    let log = fs::read(bad.join("metrics.jsonl")).expect("a log");
    let end = finish(&mut command);
    assert_eq!(end.code, Some(1), "{}", end.stderr);
    let lines: Vec<_> = end.stderr.lines().filter(|line| line.contains(RUNS[1])).collect();
    assert!(lines.iter().any(|l| l.contains("failed 3 times")), "{}", end.stderr);
    assert!(
        end.stderr.contains("    error: ") && end.stderr.contains("begin anew"),
        "{}",
        end.stderr
    );
    let record = RunRecord::read(&bad).expect("a record");
    assert_eq!((record.status, record.attempts), (RecordedStatus::Failed, 4));
    assert_eq!(record.exit_code, Some(2));
    assert_eq!(RunRecord::read(&good).expect("a record").attempts, 1, "it was finished");
    let status = finish(native().args(["bench", "status"]).arg(folder.join("sweep")));
    assert!(
        status.stdout.contains("failed") && status.stdout.contains("1 failed"),
        "{}",
        status.stdout
    );

    // After the cause is removed, the same command begins the run anew; its old files are not
    // deleted.
    fs::remove_file(bad.join("config.toml")).expect("removed");
    finish(&mut command).succeeded();
    assert_eq!(fs::read(bad.join("unusable-1").join("metrics.jsonl")).expect("kept"), log);
    assert_eq!(newest(&bad), 2 * ITERATION);
}

#[test]
fn a_sweep_may_grow_but_not_shrink() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let bench = |algos, seeds| finish(&mut bench_of(folder, algos, seeds, 2 * ITERATION));
    bench("ppo", "1").succeeded();
    let first = run_folders(folder)[1].join("metrics.jsonl");
    let log = fs::read(&first).expect("a log");

    let grown = bench("ppo,deep-spi", "2");
    grown.succeeded();
    assert!(grown.stderr.contains("3 of 4 runs to do"), "{}", grown.stderr);
    assert_eq!(fs::read(&first).expect("a log"), log, "what was done is not done again");
    let report = folder.join("sweep/report");
    let page = fs::read_to_string(report.join("index.html")).expect("a report");
    assert!(page.contains("4 of 4 runs finished"), "the report is on the larger sweep");

    for (algos, seeds, word) in
        [("ppo", "2", "the list of algorithms"), ("ppo,deep-spi", "1", "the number of seeds")]
    {
        bench(algos, seeds).refused_in_one_paragraph(&[word, "--out", "--overwrite"]);
    }
    let status = finish(native().args(["bench", "status"]).arg(folder.join("sweep")));
    assert!(status.stdout.contains("4 of 4 runs finished"), "{}", status.stdout);
}

#[test]
fn a_run_that_was_made_longer_stays_finished() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let bench = || finish(&mut bench_of(folder, "ppo", "1", 2 * ITERATION));
    bench().succeeded();
    let run = &run_folders(folder)[1];
    let longer = (4 * ITERATION).to_string();
    let more = ["--total-timesteps", &longer, "--keep-checkpoints", "1"];
    finish(resume(run).args(more)).succeeded();
    assert_eq!(checkpoints(run), [4 * ITERATION], "the one of the sweep's last step made room");
    let again = bench();
    assert!(again.succeeded().stdout.contains("index.html"), "{}", again.stdout);
    assert_eq!(RunRecord::read(run).expect("a record").attempts, 1, "nothing was left to do");
}

#[test]
fn a_run_whose_machine_is_gone_is_waited_for_in_silence_and_gone_on_with() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let bench = |seeds| finish(&mut bench_of(folder, "ppo", seeds, 2 * ITERATION));
    bench("1").succeeded();
    // The other machine failed before it wrote a log, and 594 of the 600 seconds until this is
    // noticed have passed.
    let run = &run_folders(folder)[1].with_file_name("Breakout__ppo__2");
    fs::create_dir(run).expect("created");
    let gone = RunRecord { host: "another".into(), ..RunRecord::started_here() };
    gone.save(run).expect("written");
    let record = fs::File::options().write(true).open(run.join("bench.json")).expect("there");
    let now = record.metadata().and_then(|file| file.modified()).expect("a time");
    record.set_modified(now - Duration::from_secs(594)).expect("set");
    let sweep = bench("2");
    sweep.succeeded();
    assert!(sweep.stderr.contains("__2: another process trains it"), "{}", sweep.stderr);
    assert_eq!(newest(run), 2 * ITERATION);
    // A line every 30 seconds, and not one for each of the checks every 2 seconds.
    let waiting = sweep.stderr.matches("1 of 2 runs finished, 0 running").count();
    assert!((1..3).contains(&waiting), "{}", sweep.stderr);
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let sweep = folder.join("sweep");
    let smoke = || {
        let mut command = native();
        command.args(["bench", "--device", "cpu", "--out"]).arg(&sweep);
        command
    };
    let list = folder.join("games.txt");
    fs::write(&list, "Pong\nBrakeout\n").expect("written");
    let list = list.to_str().expect("a plain name");
    let nowhere = folder.join("nowhere");
    let nowhere = nowhere.to_str().expect("a plain name");
    for (arguments, words) in [
        (vec![], vec!["--suite", "ale57"]),
        (vec!["--suite", "ale75"], vec!["ale75", "ale57"]),
        (vec!["--suite", list], vec!["games.txt", "Brakeout", "Breakout"]),
        (vec!["--suite", "smoke", "--algos", "ppo,ppo"], vec!["ppo", "twice"]),
        (vec!["--suite", "smoke", "--algo", "ppo"], vec!["--algos"]),
        (vec!["--suite", "smoke", "--seeds", "0"], vec!["seeds"]),
        (vec!["--suite", "smoke", "--gamma", "2"], vec!["gamma"]),
        (vec!["--suite", "smoke", "--roms", nowhere], vec!["Breakout", "3 of 3 games"]),
        (vec!["--suite", "smoke", "--slurm-args", "-p a"], vec!["--launcher slurm"]),
    ] {
        finish(smoke().args(arguments)).refused_in_one_paragraph(&words);
        assert!(!sweep.exists(), "what is refused must leave nothing");
    }
    let mut slurm = smoke();
    slurm.args(["--suite", "smoke", "--launcher", "slurm"]).env("PATH", folder);
    finish(&mut slurm).refused_in_one_paragraph(&["slurm-wlm", "sbatch", "leave out --launcher"]);
    assert!(!sweep.exists(), "what is refused must leave nothing");
    fs::create_dir_all(folder.join("thesis")).expect("created");
    fs::write(folder.join("thesis").join("text"), "").expect("written");
    let mut taken = native();
    taken.args(["bench", "--suite", "smoke", "--overwrite", "--device", "cpu", "--out"]);
    finish(taken.arg(folder.join("thesis"))).refused_in_one_paragraph(&["not empty", "--out"]);
}
