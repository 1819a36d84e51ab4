//! `native evaluate` and `native play` on a tiny run: the same seed gives the same games, games are
//! played to their end, films can be decoded, and bad input is refused before anything is written.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{
    ITERATION, TINY, checkpoint, damage, entries, finish, native, only_run, resume, tiny,
};
use native::evaluate::Evaluation;
use tempfile::TempDir;

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A finished run of two iterations, with a checkpoint after each.
fn trained(folder: &Path) -> PathBuf {
    let (runs, steps) = (folder.join("runs"), ITERATION.to_string());
    let mut command = tiny(&runs);
    command.args(["--total-timesteps", &(2 * ITERATION).to_string(), "--save-every", &steps]);
    finish(&mut command).succeeded();
    only_run(&runs)
}

fn evaluate(path: &Path, arguments: &[&str]) -> common::Finished {
    finish(native().args(["evaluate", "--device", "cpu"]).arg(path).args(arguments))
}

fn play(path: &Path, film: &Path, arguments: &[&str]) -> common::Finished {
    let mut command = native();
    finish(
        command.args(["play", "--device", "cpu", "--record"]).arg(film).arg(path).args(arguments),
    )
}

fn read(folder: &Path) -> (Evaluation, Vec<Vec<String>>) {
    let evaluation = Evaluation::read(folder).expect("readable").expect("there");
    let text = fs::read_to_string(folder.join("evaluation.csv")).expect("there");
    let rows = text.lines().skip(1).map(|row| row.split(',').map(str::to_owned).collect());
    (evaluation, rows.collect())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

#[test]
fn one_seed_is_one_set_of_whole_games() {
    let folder = temporary();
    let run = trained(folder.path());
    let result = evaluate(&run, &["--episodes", "3"]);
    result.succeeded();
    assert!(result.stdout.contains("95 % interval"), "{}", result.stdout);
    let (first, rows) = read(&run);
    assert_eq!((first.env.as_str(), first.global_step), ("Breakout", 2 * ITERATION));
    assert_eq!((first.protocol.episodes, first.protocol.stochastic), (3, false));
    let scores: Vec<f64> = rows.iter().map(|row| row[2].parse().expect("a return")).collect();
    assert!((first.summary.mean - scores.iter().sum::<f64>() / 3.0).abs() < 1e-9);
    for row in &rows {
        // Breakout has five lives. An untrained agent loses the first ball after about 30 steps, so
        // an episode that ended at a lost life would have about that length.
        let length: u64 = row[3].parse().expect("a length");
        assert!(length > 90, "a whole game takes longer than a ball: {row:?}");
        assert_eq!(row[4], (4 * length).to_string(), "four frames a step");
        assert_eq!(row[6], "game_over");
    }

    // More games begin with the same ones, although other games are played beside them.
    let again = folder.path().join("again");
    evaluate(&run, &["--episodes", "3", "--out", text(&again)]).succeeded();
    assert_eq!(fs::read(again.join("evaluation.json")).expect("there"), {
        fs::read(run.join("evaluation.json")).expect("there")
    });
    assert_eq!(read(&again), (first.clone(), rows.clone()));
    let more = folder.path().join("more");
    evaluate(&run, &["--episodes", "5", "--out", text(&more)]).succeeded();
    assert_eq!(read(&more).1[..3], rows[..]);
    let other = folder.path().join("other");
    let arguments = ["--episodes", "3", "--seed", "2", "--stochastic", "--out", text(&other)];
    evaluate(&run, &arguments).succeeded();
    let (other, unlike) = read(&other);
    assert!(other.protocol.stochastic && other.protocol.rules.contains("sticky actions 0.3"));
    assert_ne!(unlike, rows);

    // An evaluation is replaced after more training; all others are refused.
    evaluate(&run, &["--episodes", "3", "--seed", "7"]).refused_in_one_paragraph(&[
        "--seed 1, not 7",
        "--out",
        "--overwrite",
    ]);
    evaluate(&checkpoint(&run, ITERATION), &["--episodes", "3"])
        .refused_in_one_paragraph(&["after 32 steps, which is more", "--overwrite"]);
    assert_eq!(read(&run), (first, rows), "nothing was touched");
    let table = folder.path().join("evaluation.csv");
    fs::write(&table, "mine").expect("written");
    evaluate(&run, &["--episodes", "3", "--out", text(folder.path())]).refused_in_one_paragraph(&[
        "evaluation.csv",
        "--out",
        "--overwrite",
    ]);
    assert_eq!(fs::read(&table).expect("there"), b"mine");
    finish(resume(&run).args(["--total-timesteps", &(3 * ITERATION).to_string()])).succeeded();
    evaluate(&run, &["--episodes", "3"]).succeeded();
    assert_eq!(read(&run).0.global_step, 3 * ITERATION);
    evaluate(&checkpoint(&run, ITERATION), &["--episodes", "1", "--overwrite"]).succeeded();
    assert_eq!(read(&run).0.checkpoint, "step_000000000016");
}

#[test]
fn a_run_of_the_maze_is_scored_and_not_filmed() {
    let folder = temporary();
    let runs = folder.path().join("runs");
    let mut command = native();
    command.args(["--env", "maze", "--device", "cpu", "--total-timesteps", "16", "--runs-dir"]);
    finish(command.arg(&runs).args(TINY)).succeeded();
    let run = only_run(&runs);
    evaluate(&run, &["--episodes", "70"]).succeeded();
    let (evaluation, rows) = read(&run);
    assert_eq!((evaluation.env.as_str(), rows.len()), ("maze", 70));
    assert_eq!(evaluation.summary.human_normalized_mean, None);
    let numbers: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let expected: Vec<String> = (0..70).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected, "each episode once, although 64 are played at a time");
    assert!(rows.iter().all(|row| row[6] == "game_over" || row[3] == "200"), "{rows:?}");
    evaluate(&run, &["--stochastic", "--overwrite"])
        .refused_in_one_paragraph(&["--stochastic", "Atari"]);
    play(&run, &folder.path().join("a.gif"), &[])
        .refused_in_one_paragraph(&["maze", "native evaluate"]);
}

#[test]
fn the_results_of_another_agent_are_not_replaced() {
    let folder = temporary();
    let results = folder.path().join("results");
    let run = |rate: &str| {
        let run = folder.path().join(rate);
        let mut command = native();
        command.args(["--env", "maze", "--device", "cpu", "--total-timesteps", "16"]).args(TINY);
        finish(command.args(["--learning-rate", rate, "--run-dir"]).arg(&run)).succeeded();
        run
    };
    let (one, other) = (run("0.001"), run("0.002"));
    let score = |run: &Path| evaluate(run, &["--episodes", "2", "--out", text(&results)]);
    score(&one).succeeded();
    score(&other).refused_in_one_paragraph(&["another agent", "hyper-parameters", "--overwrite"]);
    // More training is no other agent.
    finish(resume(&one).args(["--total-timesteps", "32"])).succeeded();
    score(&one).succeeded();
    assert_eq!(read(&results).0.global_step, 32);
}

#[test]
fn films_can_be_read() {
    let folder = temporary();
    let run = trained(folder.path());
    let film = folder.path().join("a.gif");
    let result = play(&run, &film, &["--max-steps", "60"]);
    result.succeeded();
    assert!(!result.stderr.contains("WARN"), "{}", result.stderr);
    let mut decoder =
        gif::DecodeOptions::new().read_info(fs::File::open(&film).expect("there")).expect("a GIF");
    let size = (u32::from(decoder.width()), u32::from(decoder.height()));
    // 704 pixels wide, with two rows for Breakout's four actions at the bottom.
    assert_eq!(size, (704, 636));
    let mut frames = 0;
    while decoder.read_next_frame().expect("readable").is_some() {
        frames += 1;
    }
    assert_eq!(frames, 60);
    play(&run, &film, &["--max-steps", "2"]).refused_in_one_paragraph(&["--overwrite"]);
    // A place where nothing can be written is refused before anything is played.
    let inside = film.join("inside.gif");
    let refused = play(&run, &inside, &["--max-steps", "2"]);
    refused.refused_in_one_paragraph(&["a.gif", "another place with --record"]);
    assert!(!refused.stdout.contains("return"), "{}", refused.stdout);
    play(&run, &folder.path().join("new").join("b.gif"), &["--max-steps", "2"]).succeeded();

    let frames = folder.path().join("frames");
    play(&run, &frames, &["--max-steps", "3", "--greedy"]).succeeded();
    let found = entries(&frames);
    assert_eq!(found.len(), 3);
    let picture = fs::read(&found[2]).expect("there");
    let picture = resvg::tiny_skia::Pixmap::decode_png(&picture).expect("a PNG");
    assert_eq!((picture.width(), picture.height()), size);
    // Breakout's wall is gray in the game, and the observation beside it is gray.
    let at = |x, y| picture.pixel(x, y).map(|p| (p.red(), p.green(), p.blue()));
    assert_eq!(at(100, 48 + 2 * 25), Some((142, 142, 142)));
    let seen = at(500, 48 + 4 * 10).expect("inside");
    assert!(seen.0 == seen.1 && seen.1 == seen.2 && seen.0 > 100, "{seen:?}");
}

#[test]
fn bad_input_is_refused_with_a_remedy_and_leaves_nothing() {
    let folder = temporary();
    let run = trained(folder.path());
    let film = folder.path().join("a.gif");
    let nowhere = folder.path().join("nowhere");
    for path in [nowhere.as_path(), folder.path()] {
        evaluate(path, &[]).refused_in_one_paragraph(&["no agent in", "run folder"]);
        play(path, &film, &[]).refused_in_one_paragraph(&["no agent in", "run folder"]);
    }
    evaluate(&run, &["--episodes", "0"]).refused(&["--episodes"]);
    play(&run, &folder.path().join("a.avi"), &[])
        .refused_in_one_paragraph(&[".avi", "FILE.gif", "FILE.mp4"]);
    let without = native()
        .args(["play", "--device", "cpu", "--record", "a.mp4"])
        .arg(&run)
        .env("PATH", folder.path())
        .output();
    common::finished(&without.expect("the program starts"))
        .refused_in_one_paragraph(&["ffmpeg", "FILE.gif"]);

    // If the newest checkpoint is damaged, the one before is used; a damaged one is refused if it
    // is named or the only one.
    let [first, second] = [ITERATION, 2 * ITERATION].map(|step| checkpoint(&run, step));
    damage(&second.join("model.safetensors"));
    evaluate(&second, &["--episodes", "1"])
        .refused_in_one_paragraph(&["model.safetensors is damaged", "another checkpoint"]);
    let result = evaluate(&run, &["--episodes", "1"]);
    result.succeeded();
    assert!(result.stderr.contains("skipped a damaged checkpoint"), "{}", result.stderr);
    assert_eq!(read(&run).0.global_step, ITERATION);
    fs::write(run.join("evaluation.json"), "{").expect("written");
    evaluate(&run, &["--episodes", "1"]).refused_in_one_paragraph(&["is no evaluation", "--out"]);
    fs::remove_file(run.join("evaluation.json")).expect("removed");
    let state = first.join("state.json");
    let other = fs::read_to_string(&state).expect("there").replace("\"format\":1", "\"format\":9");
    rewrite(&first, &other);
    evaluate(&first, &[]).refused_in_one_paragraph(&["format 9", "reads format 1"]);
    fs::remove_dir_all(run.join("checkpoints")).expect("removed");
    evaluate(&run, &[]).refused_in_one_paragraph(&["there is no checkpoint"]);
    assert!(!film.exists() && !run.join("evaluation.json").exists(), "nothing is left behind");
}

/// Replaces the state in a checkpoint, with its checksum, by one that another version would have
/// written.
fn rewrite(checkpoint: &Path, state: &str) {
    use sha2::{Digest, Sha256};
    fs::write(checkpoint.join("state.json"), state).expect("written");
    let digest: String =
        Sha256::digest(state.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let sums = checkpoint.join("SHA256SUMS");
    let text = fs::read_to_string(&sums).expect("there");
    let lines = text.lines().map(|line| {
        if line.ends_with("state.json") {
            format!("{digest}  state.json\n")
        } else {
            format!("{line}\n")
        }
    });
    fs::write(&sums, lines.collect::<String>()).expect("written");
}
