//! Runs the real program on the smallest possible training.

#![expect(dead_code, reason = "every test file is a crate of its own and uses its part of this")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Agent steps of one iteration of [`tiny`].
pub(crate) const ITERATION: u64 = 16;

/// The program, as built for these tests; `DEEPSPI_NATIVE` names another one, for campaigns of hours beside which the
/// program is built again.
pub(crate) fn native() -> Command {
    let program = std::env::var_os("DEEPSPI_NATIVE");
    let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_native").into()));
    command.stdin(Stdio::null()).env_remove("RUST_LOG");
    // Without this variable graphics libraries print lines that start with `error:`.
    command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    command
}

/// Hyper-parameters of iterations that take a fraction of a second.
pub(crate) const TINY: [&str; 8] =
    ["--num-envs", "4", "--num-steps", "4", "--num-minibatches", "2", "--update-epochs", "1"];

/// A tiny training on Breakout, with its run folder in `runs`.
pub(crate) fn tiny(runs: &Path) -> Command {
    tiny_on("cpu", runs)
}

/// [`tiny`] on another device; a separate function, because a flag may not be given twice.
pub(crate) fn tiny_on(device: &str, runs: &Path) -> Command {
    let mut command = native();
    command.args(["--env", "Breakout", "--device", device, "--runs-dir"]).arg(runs).args(TINY);
    command
}

/// Continues a run on the CPU.
pub(crate) fn resume(run: &Path) -> Command {
    let mut command = native();
    command.args(["--device", "cpu", "--resume"]).arg(run);
    command
}

/// Exit code and output of a finished process.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Exit code; `None` if a signal ended the process.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Finished {
    finished(&command.output().expect("the program starts"))
}

pub(crate) fn finished(output: &Output) -> Finished {
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Finished {
    /// Checks that the run reached its end.
    #[track_caller]
    pub(crate) fn succeeded(&self) -> &Self {
        assert_eq!(self.code, Some(0), "the run must succeed, but said: {}", self.stderr);
        self
    }

    /// Checks that the run was refused: exit code 2, and instead of a crash an explanation that
    /// contains all of `words`.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) {
        let text = &self.stderr;
        assert_eq!(self.code, Some(2), "bad input must exit with 2; it said: {text}");
        assert!(!text.contains("panicked"), "bad input must not be a crash: {text}");
        let errors = text.lines().filter(|line| line.starts_with("error:")).count();
        assert_eq!(errors, 1, "exactly one line must start with `error:`: {text}");
        for word in words {
            assert!(text.contains(word), "the message must contain `{word}`: {text}");
        }
    }

    /// [`Self::refused`], with one paragraph of explanation and nothing else.
    #[track_caller]
    pub(crate) fn refused_in_one_paragraph(&self, words: &[&str]) {
        self.refused(words);
        let paragraph = self.stderr.split_once("error:").map_or("", |(_, rest)| rest).trim_end();
        assert!(!paragraph.contains("\n\n"), "one paragraph is enough: {}", self.stderr);
    }
}

/// The entries of a folder, sorted; none if the folder does not exist.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    paths.sort();
    paths
}

/// The one run in `runs`.
#[track_caller]
pub(crate) fn only_run(runs: &Path) -> PathBuf {
    let found = entries(runs);
    assert_eq!(found.len(), 1, "one training makes one run folder: {found:?}");
    found[0].clone()
}

/// Steps of the complete checkpoints of a run, ascending.
pub(crate) fn checkpoints(run: &Path) -> Vec<u64> {
    entries(&run.join("checkpoints"))
        .iter()
        .filter_map(|path| path.file_name()?.to_str()?.strip_prefix("step_")?.parse().ok())
        .collect()
}

/// The folder of a checkpoint.
pub(crate) fn checkpoint(run: &Path, step: u64) -> PathBuf {
    run.join("checkpoints").join(format!("step_{step:012}"))
}

/// Inverts one byte in the middle of a file.
pub(crate) fn damage(file: &Path) {
    let mut bytes = fs::read(file).expect("the file exists");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xFF;
    fs::write(file, bytes).expect("the file can be written");
}
