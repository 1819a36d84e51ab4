//! SIGKILL at random moments: the same command always goes on, to the same end as a run that nobody killed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use crate::campaign::{seed, size};
use crate::common::{checkpoint, checkpoints, native};

/// A training that is killed.
struct Killed {
    name: &'static str,
    arguments: &'static [&'static str],
    /// Agent steps of an iteration.
    iteration: u64,
}

/// Iterations of every run.
const ITERATIONS: u64 = 24;
/// Iterations between two checkpoints.
const SAVED: u64 = 3;

const MAZE: Killed = Killed {
    name: "maze",
    arguments: &["--env", "maze", "--num-envs", "8", "--num-steps", "32", "--num-minibatches", "4"],
    iteration: 256,
};
const GAME: Killed = Killed {
    name: "Breakout",
    arguments: &[
        "--env",
        "Breakout",
        "--network",
        "small",
        "--num-envs",
        "4",
        "--num-steps",
        "8",
        "--num-minibatches",
        "2",
        "--update-epochs",
        "1",
    ],
    iteration: 32,
};
const REPLAY: Killed = Killed {
    name: "DreamSPI with replay",
    arguments: &[
        "--env",
        "maze",
        "--algo",
        "dream-spi",
        "--use-replay-buffer",
        "--progressive",
        "off",
        "--replay-start",
        "256",
        "--replay-sequences",
        "8",
        "--replay-length",
        "8",
        "--replay-capacity",
        "4096",
        "--num-envs",
        "8",
        "--num-steps",
        "32",
        "--num-minibatches",
        "4",
    ],
    iteration: 256,
};

impl Killed {
    fn command(&self, run: &Path) -> Command {
        let mut command = native();
        command.args(self.arguments).args(["--device", "cpu", "--run-dir"]).arg(run);
        command.args(["--total-timesteps", &(ITERATIONS * self.iteration).to_string()]);
        command.args(["--save-every", &(SAVED * self.iteration).to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn sums(&self, run: &Path) -> String {
        let last = checkpoint(run, ITERATIONS * self.iteration);
        fs::read_to_string(last.join("SHA256SUMS")).expect("the last checkpoint")
    }

    /// The last step in the log, and the newest checkpoint.
    fn state(run: &Path) -> (u64, u64) {
        let log = fs::read(run.join("metrics.jsonl")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let steps =
            log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let steps = steps.filter(|line| line["type"] == "iteration");
        let reached =
            steps.filter_map(|line| line["global_step"].as_u64()).next_back().unwrap_or(0);
        (reached, checkpoints(run).last().copied().unwrap_or(0))
    }

    fn campaign(&self, kills: u64) {
        let folder = tempfile::tempdir().expect("a folder");
        let whole = folder.path().join("whole");
        let start = Instant::now();
        assert!(self.command(&whole).status().expect("starts").success(), "{}", self.name);
        let life = start.elapsed();
        let expected = self.sums(&whole);
        let mut rng = ChaCha8Rng::seed_from_u64(seed());
        let (mut killed, mut runs, mut lost) = (0, 0, 0);
        while killed < kills {
            let run = folder.path().join(format!("run{runs}"));
            runs += 1;
            loop {
                let mut child = self.command(&run).spawn().expect("starts");
                // Half of the lives end early, many of them in the start; the others at any moment.
                let most = if rng.random() { life / 8 } else { life };
                let moment = most.mul_f64(rng.random());
                let end = Instant::now() + moment;
                let finished = loop {
                    match child.try_wait().expect("a child") {
                        Some(status) => break Some(status),
                        None if Instant::now() >= end => break None,
                        None => std::thread::sleep(Duration::from_micros(500)),
                    }
                };
                if let Some(status) = finished {
                    assert!(
                        status.success(),
                        "{}: it does not go on after {killed} kills",
                        self.name
                    );
                    break;
                }
                child.kill().expect("killed");
                child.wait().expect("ended");
                killed += 1;
                let (reached, kept) = Self::state(&run);
                let missing = reached.saturating_sub(kept);
                assert!(
                    missing < (SAVED + 1) * self.iteration,
                    "{}: killed at step {reached}, the newest checkpoint is of step {kept}",
                    self.name
                );
                lost = missing.max(lost);
            }
            assert_eq!(self.sums(&run), expected, "{}: another end than without a kill", self.name);
            fs::remove_dir_all(&run).expect("removed");
        }
        println!(
            "{}: {killed} kills in {runs} runs of {life:.1?}, each ended like the run without a kill; at most {lost} of \
             {} steps between two checkpoints were lost",
            self.name,
            SAVED * self.iteration
        );
    }
}

#[test]
fn a_killed_maze_run_ends_as_if_nothing_had_happened() {
    MAZE.campaign(size(6, 100));
}

#[test]
fn a_killed_game_ends_as_if_nothing_had_happened() {
    GAME.campaign(size(4, 100));
}

#[test]
fn a_killed_run_with_replay_ends_as_if_nothing_had_happened() {
    REPLAY.campaign(size(4, 50));
}
