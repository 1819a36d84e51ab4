//! A run that was stopped and continued equals one that was never stopped, including its
//! environments.

mod common;

use std::fs;
use std::path::Path;

use common::{ITERATION, TINY, finish, native, resume};

/// Number of iterations of the whole run.
const LONG: u64 = 40;

/// The contents of the last checkpoint that must not depend on interruptions: tensors and
/// environments.
fn last_checkpoint(run: &Path, iterations: u64) -> Vec<(String, Vec<u8>)> {
    let folder = run.join(format!("checkpoints/step_{:012}", iterations * ITERATION));
    let read = |name: &str| (name.to_owned(), content(fs::read(folder.join(name)).expect(name)));
    ["model.safetensors", "optimiser.safetensors", "environments.bin"].map(read).to_vec()
}

/// The tensors of a safetensors file, without the metadata in its header; other files unchanged.
fn content(bytes: Vec<u8>) -> Vec<u8> {
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("8 bytes"));
    match usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) {
        Some((header, tensors)) if header.starts_with(b"{") => tensors.to_vec(),
        _ => bytes,
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
    let expected = last_checkpoint(&whole, LONG);
    for ((name, found), (_, expected)) in last_checkpoint(&parts, LONG).iter().zip(&expected) {
        assert!(found == expected, "{name} differs from that of the uninterrupted run, {env:?}");
    }
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
fn games_with_envpools_seeds_begin_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    start(&run, &["--env", "Breakout", "--emulator-seeds", "envpool"], 2);
    let checkpoint = run.join(format!("checkpoints/step_{:012}", 2 * ITERATION));
    assert!(!checkpoint.join("environments.bin").exists());
    finish(resume(&run).args(["--total-timesteps", "64"])).succeeded();
}
