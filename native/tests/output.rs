//! What a terminal does must not end a run: readers go away, disks fill up, and `nohup` hangs up.

mod common;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use common::native;

/// A short training on the maze in this folder.
fn training(run: &Path) -> Command {
    let mut command = native();
    command.args(["--env", "maze", "--device", "cpu", "--total-timesteps", "1024", "--run-dir"]);
    command.arg(run);
    command
}

#[test]
fn a_training_goes_on_when_nobody_reads_its_progress_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let mut child = training(&run).stderr(Stdio::piped()).spawn().expect("starts");
    let mut first = String::new();
    let mut reader = BufReader::new(child.stderr.take().expect("piped"));
    reader.read_line(&mut first).expect("a line");
    assert!(first.contains("deep-spi on maze"), "{first}");
    drop(reader);
    // The last line of progress and that of the checkpoint are still to come.
    assert_eq!(child.wait().expect("ends").code(), Some(0));
    assert!(run.join("checkpoints/step_000000001024").is_dir(), "the checkpoint is saved");
}

#[test]
fn results_are_written_when_nobody_reads_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    assert!(training(&run).stderr(Stdio::null()).status().expect("starts").success());
    let picture = folder.path().join("curve.svg").display().to_string();
    let curve = ["curve", "--window", "256", "--out", &picture];
    for arguments in [&["evaluate"][..], &["play", "--dream", "2"], &curve] {
        let mut command = native();
        command.args(arguments).arg(&run).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        assert_eq!(child.wait().expect("ends").code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
    assert!(run.join("evaluation.json").is_file() && Path::new(&picture).is_file());
}

#[test]
#[cfg(target_os = "linux")]
fn results_for_which_there_is_no_room_are_an_error() {
    let full = File::options().write(true).open("/dev/full").expect("a device that is full");
    let mut command = native();
    command.args(["--env", "maze", "--print-config"]).stdout(full);
    let output = command.stderr(Stdio::piped()).output().expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("could not be written to standard output"), "{said}");
    assert!(said.contains("free some space"), "{said}");
}

#[test]
#[cfg(unix)]
fn signals_that_were_ignored_before_the_start_stay_ignored() {
    for signal in ["HUP", "INT"] {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("run");
        let mut command = Command::new("sh");
        // As `nohup` does, and a script for what it starts in the background.
        command.args(["-c", &format!("trap '' {signal}; exec \"$@\""), "sh"]);
        command.arg(native().get_program()).args(["--env", "maze", "--device", "cpu"]);
        command.args(["--total-timesteps", "16384", "--run-dir"]).arg(&run);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        // The handlers are there when the first step is reported.
        let found = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("step "));
        assert!(found.is_some(), "it trains");
        let process = child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &process]).status();
        assert!(sent.expect("kill exists").success());
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        assert_eq!(child.wait().expect("ends").code(), Some(0), "{signal}: {rest:?}");
        assert!(run.join("checkpoints/step_000000016384").is_dir(), "{signal}: {rest:?}");
    }
}
