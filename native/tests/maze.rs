//! The maze on the command line: training, continuing, figures, and refused input.

mod common;

use std::fs;
use std::path::Path;

use common::{Finished, TINY, entries, finish, native, only_run, resume};

fn tiny_maze(runs: &Path, arguments: &[&str]) -> Finished {
    let mut command = native();
    command.args(["--env", "maze", "--device", "cpu", "--runs-dir"]).arg(runs).args(TINY);
    finish(command.args(arguments))
}

fn figures(out: &Path, arguments: &[&str]) -> Finished {
    let mut command = native();
    command.args(["figures", "--device", "cpu", "--out"]).arg(out);
    finish(command.args(arguments))
}

#[test]
fn a_run_is_described_analysed_and_continued() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    let arguments = ["--total-timesteps", "32", "--n-path", "7", "--cue", "0.5", "--certified"];
    tiny_maze(&runs, &[&arguments[..], &["--gamma", "0.9"]].concat()).succeeded();
    let run = only_run(&runs);
    let config = fs::read_to_string(run.join("config.toml")).expect("there");
    for line in ["n_path = 7", "cue = 0.5", "certified = true", "latent_distance = \"euclidean\""] {
        assert!(config.contains(line), "{line} is missing in {config}");
    }
    finish(resume(&run).args(["--total-timesteps", "64"])).succeeded();
    let lines = fs::read_to_string(run.join("metrics.jsonl")).expect("there");
    let of = |kind: &str| {
        let lines = lines.lines().map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("every line is JSON")
        });
        lines.filter(|line| line["type"] == kind).collect::<Vec<_>>()
    };
    let (maze, iterations) = (of("maze"), of("iteration"));
    assert_eq!((maze.len(), iterations.len()), (4, 4), "two iterations, then two more");
    assert!(maze.iter().all(|line| line["start_value"].is_number()));
    assert!(iterations.iter().all(|line| line["certificate"]["projection"].is_object()));
}

#[test]
fn a_maze_that_cannot_be_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    for (arguments, words) in [
        (&["--n-path", "1"][..], &["n_path", "at least 2"][..]),
        (&["--n-path", "26"], &["n_path", "at most 25"]),
        (&["--epsilon", "0"], &["epsilon", "0 < epsilon < 1"]),
        (&["--cue", "1.5"], &["cue", "0 to 1"]),
        (&["--gamma", "0"], &["gamma", "trap"]),
        (&["--certified", "--clip-coef", "0.2"], &["clip_coef", "certified"]),
        (&["--certified", "--algo", "ppo"], &["algo", "deep-spi"]),
        (&["--certified", "--maze-reset", "parity"], &["--certified", "--maze-reset"]),
        (&["--stochastic"], &["--stochastic", "Atari"]),
    ] {
        tiny_maze(&runs, arguments).refused_in_one_paragraph(words);
        assert!(entries(&runs).is_empty(), "{arguments:?} left something behind");
    }
    let mut atari = native();
    atari.args(["--env", "Breakout", "--device", "cpu", "--cue", "0.5", "--runs-dir"]).arg(&runs);
    finish(&mut atari).refused_in_one_paragraph(&["--cue", "maze"]);
}

#[test]
fn figures_keep_their_runs_and_come_with_numbers_and_settings() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("figures");
    let arguments = ["maze", "--seeds", "2", "--iterations", "1"];
    figures(&out, &arguments).succeeded();
    for ending in ["svg", "png", "csv", "json"] {
        assert!(out.join(format!("maze.{ending}")).metadata().is_ok_and(|file| file.len() > 100));
    }
    let runs = out.join("runs");
    let kept = entries(&runs);
    assert_eq!(kept.len(), 6, "three methods, two seeds: {kept:?}");
    let csv = fs::read(out.join("maze.csv")).expect("there");
    let again = figures(&out, &arguments);
    assert!(!again.stderr.contains("runs to do"), "nothing is left to do: {}", again.stderr);
    again.succeeded();
    assert_eq!(fs::read(out.join("maze.csv")).expect("there"), csv, "the same numbers");
    figures(&out, &["sir", "--seeds", "2", "--iterations", "1"]).succeeded();
    figures(&out, &["latents", "--iterations", "1"]).succeeded();
    assert_eq!(entries(&runs).len(), 6, "figures share their runs");
}

#[test]
fn exact_figures_need_no_training() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("figures");
    figures(&out, &["theory"]).succeeded();
    figures(&out, &["oot"]).succeeded();
    assert!(entries(&out.join("runs")).is_empty());
    assert!(out.join("theory.png").exists() && out.join("out-of-trajectory.csv").exists());
}

#[test]
fn figures_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("figures");
    figures(&out, &["sir", "--sweep", "clip"]).refused_in_one_paragraph(&["--sweep", "maze"]);
    figures(&out, &["maze", "--n-path", "1"]).refused_in_one_paragraph(&["n_path"]);
    let file = folder.path().join("file");
    fs::write(&file, "in the way").expect("written");
    figures(&file, &["oot"]).refused_in_one_paragraph(&["--out"]);
}
