//! Every write fails once: on a full disk, a broken one, and one that became read-only. The error is explained, nothing
//! is damaged, and the same command goes on to the same end.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::campaign::{Ended, is_full, run_within, small_maze};
use crate::common::{checkpoint, finish, native};

/// Makes a command that writes into this folder.
type Makes<'a> = &'a dyn Fn(&Path) -> Command;

/// No training here takes longer, on a busy machine either.
const LIMIT: Duration = Duration::from_secs(120);
const ERRORS: [(&str, i32); 3] =
    [("disk full", 28), ("input/output error", 5), ("read-only file system", 30)];
/// ENOLCK: the lock server of a network file system does not answer.
const NO_LOCKS: i32 = 37;

/// The library that makes calls fail; none without a C compiler.
fn library(folder: &Path) -> Option<PathBuf> {
    let source =
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR")?).join("../tests/endurance/faults.c");
    let library = folder.join("faults.so");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut compile = Command::new(compiler);
    compile.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
    match compile.status() {
        Ok(status) => {
            assert!(status.success(), "the library for failing calls does not compile");
            Some(library)
        }
        Err(error) if std::env::var_os("CI").is_none() => {
            println!("SKIPPED: there is no C compiler ({error})");
            None
        }
        Err(error) => panic!("there is no C compiler: {error}"),
    }
}

/// A training of four iterations with two checkpoints.
fn training(run: &Path) -> Command {
    let mut command = small_maze(run, 8);
    command.args(["--total-timesteps", "256", "--save-every", "128"]);
    command
}

fn sums(run: &Path) -> String {
    fs::read_to_string(checkpoint(run, 256).join("SHA256SUMS")).expect("the last checkpoint")
}

/// Runs a command in which call number `at` below `folder` fails.
fn with_fault(
    mut command: Command,
    library: &Path,
    folder: &Path,
    at: u64,
    errno: i32,
    sticky: bool,
) -> Ended {
    command
        .env("LD_PRELOAD", library)
        .env("FAULT_UNDER", folder)
        .env("FAULT_ERRNO", errno.to_string());
    command.env("FAULT_AT", at.to_string());
    if sticky {
        command.env("FAULT_STICKY", "1");
    }
    run_within(&mut command, LIMIT)
}

/// The number of calls that can fail.
fn calls(mut command: Command, library: &Path, folder: &Path, count: &Path) -> u64 {
    command.env("LD_PRELOAD", library).env("FAULT_UNDER", folder).env("FAULT_COUNT", count);
    finish(&mut command).succeeded();
    let text = fs::read_to_string(count).expect("counted");
    text.trim().parse().expect("a number")
}

#[test]
fn a_write_that_fails_is_explained_and_costs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(library) = library(folder.path()) else { return };
    let whole = folder.path().join("whole");
    let all = calls(training(&whole), &library, &whole, &folder.path().join("count"));
    assert!(all > 40, "only {all} calls were seen");
    let expected = sums(&whole);
    let (mut refused, mut unharmed) = (0, 0);
    for (index, (what, errno)) in ERRORS.iter().enumerate() {
        for sticky in [false, true] {
            // Every day a few of them, each time other ones for each error.
            let step = if is_full() { 1 } else { 29 };
            let first =
                1 + if is_full() { 0 } else { (index * 2 + usize::from(sticky)) as u64 * 5 };
            for at in (first..=all).step_by(step) {
                let run = folder.path().join("run");
                let ended = with_fault(training(&run), &library, &run, at, *errno, sticky);
                let place = format!(
                    "call {at} of {all}, {what}, {}",
                    if sticky { "from there on" } else { "once" }
                );
                if let Some(fault) = ended.fault(&[]) {
                    panic!("{place}: {fault}");
                }
                if ended.code == Some(0) {
                    unharmed += 1;
                } else {
                    refused += 1;
                    assert!(
                        ended.stderr.contains("os error"),
                        "{place}: no cause in {}",
                        ended.stderr
                    );
                    let names_file = ended.stderr.contains(&run.display().to_string());
                    assert!(names_file, "{place}: no file in {}", ended.stderr);
                }
                // The same command goes on to the same end.
                let again = finish(&mut training(&run));
                assert_eq!(again.code, Some(0), "{place}: it does not go on: {}", again.stderr);
                assert_eq!(sums(&run), expected, "{place}: another end");
                let log = fs::read_to_string(run.join("metrics.jsonl")).expect("a log");
                let broken = log
                    .lines()
                    .filter(|line| serde_json::from_str::<serde_json::Value>(line).is_err());
                assert!(
                    broken.count() <= 1,
                    "{place}: more than the line that failed is broken in {log}"
                );
                fs::remove_dir_all(&run).expect("removed");
            }
        }
    }
    println!(
        "{all} calls that can fail; {} failures: {refused} ended with an explained error and went on, {unharmed} did no \
         harm; all ended like the run without a failure",
        refused + unharmed
    );
}

#[test]
fn results_that_cannot_be_written_leave_the_earlier_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(library) = library(folder.path()) else { return };
    let run = folder.path().join("run");
    finish(&mut training(&run)).succeeded();
    let evaluate = |out: &Path| {
        let mut command = native();
        command
            .args(["evaluate", "--episodes", "2", "--device", "cpu", "--out"])
            .arg(out)
            .arg(&run);
        command
    };
    let curve = |out: &Path| {
        let mut command = native();
        command.args(["curve", "--window", "64", "--out"]).arg(out.join("curve.svg")).arg(&run);
        command
    };
    let commands: [(&str, Makes); 2] = [("evaluate", &evaluate), ("curve", &curve)];
    for (name, command) in commands {
        let out = folder.path().join(name);
        fs::create_dir(&out).expect("created");
        let all = calls(command(&out), &library, &out, &folder.path().join("count"));
        let before = crate::common::entries(&out);
        let step = if is_full() { 1 } else { 5 };
        let mut lost = 0;
        for at in (1..=all).step_by(step) {
            let ended = with_fault(command(&out), &library, &out, at, 28, true);
            assert_eq!(ended.fault(&[]), None, "{name}, call {at} of {all}");
            if ended.stderr.contains("the results above") {
                assert!(ended.stdout.contains("mean return"), "{}", ended.stdout);
                lost += 1;
            }
            // Whatever failed, each file there is whole; at most one that was being written is left, under its own name.
            for path in crate::common::entries(&out) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.starts_with(".writing") {
                    continue;
                }
                let bytes = fs::read(&path).expect("readable");
                assert!(before.contains(&path) && !bytes.is_empty(), "{}", path.display());
                if path.extension().is_some_and(|ending| ending == "json") {
                    serde_json::from_slice::<serde_json::Value>(&bytes).expect("whole");
                }
            }
        }
        assert!(name != "evaluate" || lost > 0, "no failure was after the games");
        assert_eq!(finish(&mut command(&out)).code, Some(0), "{name} works again");
    }
}

#[test]
fn a_file_system_without_locks_is_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(library) = library(folder.path()) else { return };
    let run = folder.path().join("run");
    let mut command = training(&run);
    command.env("LD_PRELOAD", &library).env("FAULT_FLOCK", NO_LOCKS.to_string());
    let trained = finish(&mut command);
    assert!(trained.succeeded().stderr.contains("gives no locks"), "{}", trained.stderr);
    assert!(trained.stderr.contains("no second process"), "{}", trained.stderr);
}
