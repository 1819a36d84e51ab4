//! Wrong input and disk errors end with exit code 2 and a message that says what to do. Nothing
//! that was already saved is lost.

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{
    Finished, TINY, checkpoint, checkpoints, damage, entries, finish, native, only_run, resume,
    tiny, tiny_on,
};
use deepspi_worlds::atari::Game;
use tempfile::TempDir;

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Starts the tiny training with more arguments, and checks that it leaves no run folder.
fn start_refused(arguments: &[&str]) -> Finished {
    start_refused_on("cpu", arguments)
}

fn start_refused_on(device: &str, arguments: &[&str]) -> Finished {
    let folder = temporary();
    let runs = folder.path().join("runs");
    let run = finish(tiny_on(device, &runs).args(["--total-timesteps", "16"]).args(arguments));
    let left = entries(&runs);
    assert!(left.is_empty(), "a run that never started must leave no folder: {left:?}");
    run
}

/// A finished run of `steps` steps with a checkpoint every `every`.
fn trained(folder: &Path, steps: &str, every: &str) -> PathBuf {
    let runs = folder.join("runs");
    finish(tiny(&runs).args(["--total-timesteps", steps, "--save-every", every])).succeeded();
    only_run(&runs)
}

#[test]
fn an_unknown_game_suggests_the_nearest() {
    let folder = temporary();
    let runs = folder.path().join("runs");
    let run = finish(
        native().args(["--env", "Brakeout", "--device", "cpu", "--runs-dir"]).arg(&runs).args(TINY),
    );
    run.refused_in_one_paragraph(&["Brakeout", "Breakout"]);
    assert!(entries(&runs).is_empty(), "no run folder for a game that does not exist");
    let run = finish(native().args(["--device", "cpu", "--runs-dir"]).arg(&runs));
    run.refused_in_one_paragraph(&["--env"]);
}

#[test]
fn roms_that_are_missing_or_wrong_are_named() {
    let folder = temporary();
    let missing = folder.path().join("nowhere");
    let missing = missing.to_str().expect("temporary folders have plain names");
    start_refused(&["--roms", missing]).refused_in_one_paragraph(&[
        missing,
        "breakout.bin",
        "ale-py",
    ]);

    let wrong = folder.path().join("breakout.bin");
    fs::write(&wrong, "not a cartridge").expect("written");
    let expected = Game::find("Breakout").expect("a game").md5;
    // md5 of "not a cartridge"
    let found = "13c705c309736ec991ef4bc3abb3745d";
    let roms = folder.path().to_str().expect("temporary folders have plain names");
    start_refused(&["--roms", roms]).refused_in_one_paragraph(&[
        wrong.to_str().expect("temporary folders have plain names"),
        expected,
        found,
    ]);
}

#[test]
fn a_runs_folder_that_cannot_be_written_is_named() {
    // The folder is below a file. Permissions would not stop a test that runs as root in a
    // container.
    let folder = temporary();
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let runs = file.join("runs");
    finish(tiny(&runs).args(["--total-timesteps", "16"]))
        .refused_in_one_paragraph(&[runs.to_str().expect("a plain name"), "--runs-dir"]);
}

#[test]
fn a_bad_configuration_names_file_and_field() {
    for (content, words) in [
        ("gamma = = 1", vec!["malformed", "line 1"]),
        ("gama = 0.9", vec!["malformed", "gama"]),
        ("gamma = \"much\"", vec!["malformed", "gamma"]),
        ("gamma = 1.5", vec!["`gamma` is 1.5", "0 <= gamma < 1"]),
        ("algo = \"sarsa\"", vec!["malformed", "sarsa", "deep-spi"]),
        ("[world_model]\ngama = 0.9", vec!["malformed", "gama"]),
        (
            "certified = true\n[deep_spi]\ncertified = true",
            vec!["malformed", "`certified`", "both", "[deep_spi]"],
        ),
        ("[world_model]\nreward_loss_coef = -2", vec!["`reward_loss_coef` is -2", ">= 0"]),
    ] {
        let folder = temporary();
        let file = folder.path().join("hyper.toml");
        fs::write(&file, content).expect("written");
        let path = file.to_str().expect("temporary folders have plain names");
        let run = start_refused(&["--config", path]);
        run.refused_in_one_paragraph(&words);
        if words[0] == "malformed" {
            run.refused_in_one_paragraph(&[path]);
        }
    }
    let folder = temporary();
    let missing = folder.path().join("missing.toml");
    let missing = missing.to_str().expect("temporary folders have plain names");
    start_refused(&["--config", missing]).refused_in_one_paragraph(&[missing]);
}

#[test]
fn a_bad_flag_is_named_with_what_is_allowed() {
    start_refused(&["--gamma", "1"]).refused_in_one_paragraph(&["`gamma` is 1", "0 <= gamma < 1"]);
    start_refused(&["--clip-coef", "NaN"]).refused_in_one_paragraph(&["clip_coef"]);
    start_refused(&["--algo", "sarsa"]).refused(&["sarsa", "deep-spi", "deep-mdp", "ppo"]);
    start_refused_on("cuda", &[]).refused(&["cuda", "gpu:NAME"]);
    start_refused(&["--keep-checkpoints", "0"]).refused(&["keep-checkpoints"]);
    start_refused(&["--sead", "1"]).refused(&["--sead", "--seed"]);
}

#[test]
fn a_minibatch_count_that_does_not_divide_is_named() {
    let folder = temporary();
    let runs = folder.path().join("runs");
    let arguments =
        ["--env", "Breakout", "--device", "cpu", "--num-minibatches", "3", "--runs-dir"];
    finish(native().args(arguments).arg(&runs))
        .refused_in_one_paragraph(&["`num_minibatches` is 3", "a divisor of num_envs * num_steps"]);
    assert!(entries(&runs).is_empty(), "no run folder for an impossible configuration");
}

#[test]
fn a_device_that_is_not_there_is_explained() {
    start_refused_on("gpu:No Such Card", &[])
        .refused_in_one_paragraph(&["No Such Card", "--device cpu"]);

    let folder = temporary();
    let auto = finish(tiny_on("auto", folder.path()).args(["--total-timesteps", "16"]));
    if !auto.succeeded().stderr.contains("on cpu (flex") {
        // Written directly to standard error, because the harness hides what a passing test prints.
        let skipped = b"SKIPPED: there is a real GPU here, so that asking for one is no error\n";
        drop(std::io::stderr().write_all(skipped));
        return;
    }
    start_refused_on("gpu", &[]).refused_in_one_paragraph(&["no GPU was found", "--device cpu"]);
}

#[test]
fn resuming_what_is_no_run_is_refused() {
    let folder = temporary();
    let path = folder.path().to_str().expect("temporary folders have plain names");
    finish(&mut resume(folder.path())).refused_in_one_paragraph(&[path, "is not a run folder"]);
    fs::write(folder.path().join("config.toml"), "gamma = 0.9\n").expect("written");
    finish(&mut resume(folder.path()))
        .refused_in_one_paragraph(&[path, "not the configuration of a run"]);
}

#[test]
fn a_resumed_run_keeps_its_hyper_parameters_and_its_game() {
    let folder = temporary();
    let run = trained(folder.path(), "32", "32");
    for flag in ["--gamma", "--cue"] {
        finish(resume(&run).args([flag, "0.9"]))
            .refused_in_one_paragraph(&[flag, "cannot be changed"]);
    }
    let printed = finish(resume(&run).args(["--print-config", "--total-timesteps", "48"]));
    let printed = &printed.succeeded().stdout;
    assert!(
        printed.contains("num_envs = 4") && printed.contains("total_timesteps = 48"),
        "the configuration is that of the run: {printed}"
    );
    finish(resume(&run).args(["--env", "Pong"])).refused(&["--env", "--resume"]);

    let before = contents(&run);
    let config = run.join("config.toml");
    let text = fs::read_to_string(&config).expect("the configuration of the run");
    let foreign = text.replace("env = \"Breakout\"", "env = \"Pong\"");
    assert_ne!(text, foreign, "config.toml must say which game it is: {text}");
    fs::write(&config, foreign).expect("written");
    finish(resume(&run).args(["--total-timesteps", "48"])).refused_in_one_paragraph(&[
        "4 actions",
        "6 actions",
        "step_000000000032",
    ]);
    fs::write(&config, text).expect("written");
    assert!(contents(&run) == before, "a refused checkpoint must change nothing in the run folder");
    finish(resume(&run).args(["--total-timesteps", "48"])).succeeded();
    assert_eq!(checkpoints(&run), [32, 48], "the run must be usable after all refusals");
}

#[test]
fn resuming_a_finished_run_says_so_and_changes_nothing() {
    let folder = temporary();
    let run = trained(folder.path(), "32", "32");
    let before = contents(&run);
    let shorter = ["--total-timesteps", "16"];
    for arguments in [&[][..], &shorter] {
        let resumed = finish(resume(&run).args(arguments));
        let text = &resumed.succeeded().stderr;
        for word in ["is finished", "at step 32", "--total-timesteps 64"] {
            assert!(text.contains(word), "the message must contain `{word}`: {text}");
        }
        assert!(contents(&run) == before, "nothing may be written into a finished run");
    }
    finish(resume(&run).args(["--total-timesteps", "8"]))
        .refused_in_one_paragraph(&["cannot continue", "`total_timesteps` is 8"]);
    finish(resume(&run).args(["--runs-dir", "runs"])).refused_in_one_paragraph(&["--runs-dir"]);
    assert!(contents(&run) == before, "nothing may be written by what is refused");
    finish(resume(&run).args(["--total-timesteps", "64"])).succeeded();
    assert_eq!(checkpoints(&run), [32, 64], "with more steps it goes on");
}

#[test]
fn a_damaged_checkpoint_costs_only_itself() {
    let folder = temporary();
    let run = trained(folder.path(), "48", "16");
    assert_eq!(checkpoints(&run), [16, 32, 48], "one checkpoint per iteration was asked for");
    damage(&checkpoint(&run, 48).join("model.safetensors"));
    let resumed = finish(&mut resume(&run));
    let text = &resumed.succeeded().stderr;
    assert!(
        text.contains("damaged")
            && text.contains("step_000000000048")
            && text.contains("at step 32"),
        "the fall back to the checkpoint before must be said: {text}"
    );
    // The last iteration was done again, so the newest checkpoint is intact. Now each checkpoint is
    // damaged in a different way.
    damage(&checkpoint(&run, 48).join("optimiser.safetensors"));
    damage(&checkpoint(&run, 32).join("state.json"));
    fs::remove_file(checkpoint(&run, 16).join("SHA256SUMS")).expect("removed");
    finish(&mut resume(&run)).refused_in_one_paragraph(&[
        "step_000000000048",
        "step_000000000032",
        "step_000000000016",
    ]);
}

#[cfg(unix)]
#[test]
fn a_checkpoint_out_of_reach_costs_nothing() {
    let folder = temporary();
    let run = trained(folder.path(), "32", "16");
    let before = contents(&run);
    let model = checkpoint(&run, 32).join("model.safetensors");
    let bytes = fs::read(&model).expect("there");
    fs::remove_file(&model).expect("removed");
    // A link to itself exists but cannot be read, not even by root.
    std::os::unix::fs::symlink(&model, &model).expect("linked");
    let longer = ["--total-timesteps", "64", "--keep-checkpoints", "1"];
    finish(resume(&run).args(longer)).refused_in_one_paragraph(&[
        "step_000000000032",
        "model.safetensors",
        "nothing was changed",
        "try again",
    ]);
    fs::remove_file(&model).expect("removed");
    fs::write(&model, bytes).expect("written");
    assert!(contents(&run) == before, "nothing may be done without the newest");
    let text = finish(resume(&run).args(longer)).succeeded().stderr.clone();
    assert!(text.contains("at step 32"), "in reach again it must be gone on from: {text}");
}

#[test]
fn pruning_never_prefers_a_damaged_checkpoint() {
    let folder = temporary();
    let run = trained(folder.path(), "64", "32");
    assert_eq!(checkpoints(&run), [32, 64], "two checkpoints were asked for");
    damage(&checkpoint(&run, 64).join("model.safetensors"));
    // The run ends at a step before the damaged checkpoint and may keep one: that must be the new
    // one.
    finish(resume(&run).args(["--total-timesteps", "48", "--keep-checkpoints", "1"])).succeeded();
    let text = finish(resume(&run).args(["--total-timesteps", "48"])).succeeded().stderr.clone();
    assert!(text.contains("at step 48"), "the checkpoint saved last must still be there: {text}");
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_older_ones() {
    let folder = temporary();
    let run = trained(folder.path(), "32", "16");
    let before = contents(&run.join("checkpoints"));
    // No file may exceed 1 MiB, and the files of a checkpoint are larger. The signal is ignored, so
    // writing fails.
    let mut limited = Command::new("bash");
    limited
        .args([
            "-c",
            r#"trap "" XFSZ; ulimit -f 1024; exec "$@""#,
            "bash",
            env!("CARGO_BIN_EXE_native"),
        ])
        .args(["--device", "cpu", "--total-timesteps", "48", "--resume"])
        .arg(&run);
    let folder_name = run.join("checkpoints");
    finish(&mut limited).refused_in_one_paragraph(&[
        "cannot save a checkpoint",
        folder_name.to_str().expect("temporary folders have plain names"),
        "--resume",
    ]);
    assert!(
        contents(&folder_name) == before,
        "older checkpoints must be untouched, and nothing half left"
    );
    let text = finish(resume(&run).args(["--total-timesteps", "48"])).succeeded().stderr.clone();
    assert!(text.contains("at step 32"), "the run must go on where it was saved: {text}");
    assert_eq!(checkpoints(&run), [16, 32, 48], "with space the checkpoint must be written");
}

/// All files below a folder with their bytes.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).expect("the file can be read");
            all.push((path, bytes));
        }
    }
    all
}
