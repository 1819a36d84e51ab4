//! The cartridge with the maze on the command line: it needs no ROM, is analysed like the maze and
//! played like a game.

mod common;

use std::fs;
use std::path::Path;

use common::{Finished, TINY, checkpoint, entries, finish, native, only_run, resume};
use native::evaluate::Evaluation;

fn tiny(runs: &Path, arguments: &[&str]) -> Finished {
    let mut command = native();
    command.args(["--env", "MazeCartridge", "--device", "cpu", "--runs-dir"]).arg(runs).args(TINY);
    // No ROM may be looked for.
    command.env("ALE_ROMS_DIR", runs.join("none")).env("PATH", "");
    finish(command.args(arguments))
}

#[test]
fn a_run_is_analysed_continued_evaluated_and_filmed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    tiny(&runs, &["--total-timesteps", "32"]).succeeded();
    let run = only_run(&runs);
    let config = fs::read_to_string(run.join("config.toml")).expect("there");
    assert!(
        config.contains("env = \"MazeCartridge\"") && config.contains("n_path = 5"),
        "{config}"
    );
    finish(resume(&run).args(["--total-timesteps", "64"])).succeeded();
    let lines = fs::read_to_string(run.join("metrics.jsonl")).expect("there");
    let lines = lines.lines().map(serde_json::from_str::<serde_json::Value>);
    let lines: Vec<_> = lines.map(|line| line.expect("every line is JSON")).collect();
    let values: Vec<f64> = lines
        .iter()
        .filter(|line| line["type"] == "maze")
        .map(|line| line["start_value"].as_f64().expect("a number"))
        .collect();
    assert_eq!(values.len(), 4, "one exact value in each iteration");
    // An agent that has learnt next to nothing is near the random policy, and far from 8.01.
    assert!(values.iter().all(|value| (1.0..4.0).contains(value)), "{values:?}");
    let distances = lines.iter().filter_map(|line| line["relative_star_distance"].as_f64());
    assert!(distances.min_by(f64::total_cmp).is_some_and(|least| least > 1e-3));

    let mut evaluate = native();
    evaluate.args(["evaluate", "--device", "cpu", "--episodes", "3"]).arg(&run);
    finish(&mut evaluate).succeeded();
    let evaluation = Evaluation::read(&run).expect("readable").expect("there");
    assert_eq!((evaluation.env.as_str(), evaluation.protocol.stochastic), ("MazeCartridge", false));
    assert_eq!(evaluation.summary.human_normalized_mean, None);
    assert!(evaluation.summary.mean_length <= 200.0);
    let film = folder.path().join("film.gif");
    let mut play = native();
    play.args(["play", "--device", "cpu", "--max-steps", "5", "--record"]).arg(&film).arg(&run);
    finish(&mut play).succeeded();
    assert!(film.metadata().is_ok_and(|file| file.len() > 1000));
}

/// The sizes of networks with a name change between versions of the program. A run goes on, and is
/// evaluated and filmed, with those of its checkpoint.
#[test]
fn a_run_keeps_the_networks_of_its_checkpoint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    tiny(&runs, &["--total-timesteps", "32", "--preset", "small"]).succeeded();
    let run = only_run(&runs);
    let config = fs::read_to_string(run.join("config.toml")).expect("there");
    let today = config.replace("preset = \"small\"", "preset = \"paper\"");
    assert_ne!(today, config, "the description names the networks");
    fs::write(run.join("config.toml"), today).expect("written");

    let resumed = finish(resume(&run).args(["--total-timesteps", "64"]));
    resumed.succeeded();
    assert!(resumed.stderr.contains("networks of its checkpoint"), "{}", resumed.stderr);
    let state = fs::read_to_string(checkpoint(&run, 64).join("state.json")).expect("there");
    assert!(state.contains("\"hidden\":128"), "{state}");
    let mut evaluate = native();
    evaluate.args(["evaluate", "--device", "cpu", "--episodes", "1"]).arg(&run);
    finish(&mut evaluate).succeeded();
    let film = folder.path().join("film.gif");
    let mut play = native();
    play.args(["play", "--device", "cpu", "--max-steps", "5", "--record"]).arg(&film).arg(&run);
    finish(&mut play).succeeded();
}

#[test]
fn what_the_cartridge_does_not_have_is_refused_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    for (arguments, words) in [
        (&["--n-path", "6"][..], &["n_path", "6", "5 on the cartridge"][..]),
        (&["--epsilon", "0.3"], &["epsilon", "0.2 on the cartridge"]),
        (&["--cue", "0.5"], &["cue", "1 on the cartridge"]),
        (&["--maze-reset", "parity"], &["maze_reset", "terminal"]),
        (&["--gamma", "0"], &["gamma", "trap"]),
        (&["--roms", "somewhere"], &["--roms", "cartridge"]),
        (&["--max-episode-steps", "9"], &["--max-episode-steps", "cartridge"]),
        (&["--network", "small"], &["--network", "cartridge"]),
    ] {
        tiny(&runs, arguments).refused_in_one_paragraph(words);
        assert!(entries(&runs).is_empty(), "{arguments:?} left something behind");
    }
}

#[test]
fn it_is_in_no_sweep() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let suite = folder.path().join("suite.txt");
    fs::write(&suite, "Pong\nMazeCartridge\n").expect("written");
    let mut bench = native();
    bench.args(["bench", "--dry-run", "--suite"]).arg(&suite);
    bench.arg("--out").arg(folder.path().join("sweep"));
    finish(&mut bench).refused_in_one_paragraph(&["MazeCartridge"]);
}
