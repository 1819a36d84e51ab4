//! What all campaigns have in common: their size, processes with a time limit, and the judgement of an end.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::common::native;

/// `short` in the tests of every day, `full` in `./check endurance`.
pub(crate) fn size(short: u64, full: u64) -> u64 {
    if is_full() { full } else { short }
}

/// Whether `./check endurance` runs this.
pub(crate) fn is_full() -> bool {
    std::env::var_os("DEEPSPI_ENDURANCE").is_some_and(|value| value == "full")
}

/// A seed of a campaign: fixed, so that a failure can be repeated; `DEEPSPI_ENDURANCE_SEED` gives another one.
pub(crate) fn seed() -> u64 {
    std::env::var("DEEPSPI_ENDURANCE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// A training on the maze with eight environments and this many steps in an iteration of each.
pub(crate) fn small_maze(run: &Path, num_steps: u64) -> Command {
    let mut command = native();
    command.args(["--env", "maze", "--device", "cpu", "--num-envs", "8", "--num-minibatches", "2"]);
    command.args(["--num-steps", &num_steps.to_string(), "--run-dir"]).arg(run);
    command
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit code; none after a signal, which an abort is.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// It was killed after the time limit.
    pub(crate) hung: bool,
}

impl Ended {
    /// What is wrong with this end: a panic, an abort, a hang, or an error without an explanation.
    pub(crate) fn fault(&self, other_codes: &[i32]) -> Option<String> {
        let what = match self.code {
            _ if self.hung => "it hangs",
            None => "a signal ended it",
            Some(0) if !self.stderr.contains("panicked") => return None,
            _ if self.stderr.contains("panicked") => "it panics",
            Some(code) if other_codes.contains(&code) => return None,
            Some(2 | 3) if self.stderr.lines().any(|line| line.starts_with("error:")) => {
                return None;
            }
            Some(2) => "an error without an explanation",
            Some(_) => "an unknown exit code",
        };
        Some(format!("{what} (exit code {:?}): {}", self.code, self.stderr))
    }
}

/// Runs a command to its end, or to the limit.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Ended {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let stdout = reader(child.stdout.take().expect("piped"));
    let stderr = reader(child.stderr.take().expect("piped"));
    let (code, hung) = wait(&mut child, start + limit);
    let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().expect("no panic"));
    Ended { code, stdout, stderr, hung }
}

/// Reads a pipe beside the process, which would otherwise wait for room in it.
fn reader(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(pipe.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, end: Instant) -> (Option<i32>, bool) {
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return (status.code(), false);
        }
        if Instant::now() > end {
            drop(child.kill());
            drop(child.wait());
            return (None, true);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Copies a folder with all it contains.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("listed") {
        let path = entry.expect("listed").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}
