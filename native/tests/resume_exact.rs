//! A run that was stopped and continued equals one that was never stopped, including its
//! environments.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use common::{ITERATION, TINY, finish, native, resume};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Number of iterations of the whole run.
const LONG: u64 = 40;

/// The contents of the last checkpoint that must not depend on interruptions: tensors and
/// environments.
fn last_checkpoint(run: &Path, iterations: u64) -> Vec<(String, Vec<u8>)> {
    let folder = run.join(format!("checkpoints/step_{:012}", iterations * ITERATION));
    let read = |name: &str| (name.to_owned(), fs::read(folder.join(name)).expect(name));
    ["model.safetensors", "optimiser.safetensors", "environments.bin"].map(read).to_vec()
}

#[track_caller]
fn must_be_equal(found: &Path, expected: &Path, iterations: u64, env: &[&str]) {
    let expected = last_checkpoint(expected, iterations);
    for ((name, found), (_, expected)) in last_checkpoint(found, iterations).iter().zip(&expected) {
        assert!(found == expected, "{name} differs from that of the uninterrupted run, {env:?}");
    }
}

fn start(run: &Path, env: &[&str], iterations: u64) {
    let steps = (iterations * ITERATION).to_string();
    let mut command = native();
    command.args(["train", "--device", "cpu", "--run-dir"]).arg(run).args(env).args(TINY);
    // The learning rate must not depend on the length of the run, which differs here.
    command.args(["--anneal-lr", "false", "--total-timesteps", &steps]);
    finish(&mut command).succeeded();
}

fn continued_equals_uninterrupted(env: &[&str], stops: &[u64]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    start(&whole, env, LONG);
    start(&parts, env, stops[0]);
    for stop in stops[1..].iter().chain([&LONG]) {
        let steps = (stop * ITERATION).to_string();
        finish(resume(&parts).args(["--total-timesteps", &steps])).succeeded();
    }
    must_be_equal(&parts, &whole, LONG, env);
}

/// The command that begins or continues a run and saves every few iterations.
fn run_or_go_on(run: &Path, env: &[&str], seed: u64, iterations: u64) -> Command {
    let mut command = native();
    command.args(["train", "--device", "cpu", "--run-dir"]).arg(run).args(env).args(TINY);
    let steps = (iterations * ITERATION).to_string();
    let (every, seed) = ((3 * ITERATION).to_string(), seed.to_string());
    command.args(["--total-timesteps", &steps, "--save-every", &every, "--seed", &seed]);
    command
}

/// Kills runs at random moments, at least `KILLS` times in total, and continues each to its end.
fn killed_equals_uninterrupted(env: &[&str], iterations: u64) {
    const KILLS: u32 = 20;
    // The seed is fixed, but which step a kill hits depends on the speed of the machine.
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut kills = 0;
    for seed in 1.. {
        let (whole, parts) = (
            folder.path().join(format!("whole-{seed}")),
            folder.path().join(format!("parts-{seed}")),
        );
        let start = Instant::now();
        finish(&mut run_or_go_on(&whole, env, seed, iterations)).succeeded();
        let duration = start.elapsed();
        loop {
            let mut command = run_or_go_on(&parts, env, seed, iterations);
            let mut child =
                command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
            std::thread::sleep(duration.mul_f64(rng.random_range(0.1..0.7)));
            if let Some(status) = child.try_wait().expect("it can be waited for") {
                assert!(status.success(), "a continued run must reach its end: {status}");
                break;
            }
            child.kill().expect("it runs until it is killed");
            child.wait().expect("it can be waited for");
            kills += 1;
            if kills >= KILLS {
                finish(&mut run_or_go_on(&parts, env, seed, iterations)).succeeded();
                break;
            }
        }
        must_be_equal(&parts, &whole, iterations, env);
        if kills >= KILLS {
            return;
        }
    }
}

#[test]
fn a_maze_killed_at_random_moments_is_the_uninterrupted_one() {
    killed_equals_uninterrupted(&["--env", "maze"], 150);
}

#[test]
fn a_game_killed_at_random_moments_is_the_uninterrupted_one() {
    killed_equals_uninterrupted(&["--env", "Pong", "--stochastic"], 30);
}

#[test]
fn a_continued_maze_is_the_uninterrupted_one() {
    // Episodes take 7 steps or more, and an iteration takes 4. So runs are stopped inside episodes,
    // at their ends and at fake steps.
    let stops: Vec<u64> = (1..=20).collect();
    continued_equals_uninterrupted(&["--env", "maze"], &stops);
    continued_equals_uninterrupted(&["--env", "maze", "--maze-reset", "parity"], &[3, 4, 11]);
}

#[test]
fn a_continued_game_is_the_uninterrupted_one() {
    continued_equals_uninterrupted(&["--env", "Breakout", "--stochastic"], &[1, 8, 19, 20, 33]);
}

#[test]
fn a_continued_cartridge_is_the_uninterrupted_one() {
    continued_equals_uninterrupted(&["--env", "MazeCartridge"], &[1, 2, 7, 20]);
}

#[test]
fn games_with_envpools_seeds_begin_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    start(&run, &["--env", "Breakout", "--emulator-seeds", "envpool"], 2);
    let checkpoint = run.join(format!("checkpoints/step_{:012}", 2 * ITERATION));
    assert!(!checkpoint.join("environments.bin").exists());
    finish(resume(&run).args(["--total-timesteps", "64"])).succeeded();
}
