//! DreamSPI on the command line: training, continuing with a replay buffer, looking into the dream, and
//! refused input.

mod common;

use std::fs;
use std::path::Path;

use common::{Finished, TINY, entries, finish, native, only_run, resume};

fn tiny_dream(runs: &Path, arguments: &[&str]) -> Finished {
    let mut command = native();
    command.args(["--env", "maze", "--algo", "dream-spi", "--device", "cpu", "--runs-dir"]);
    command.arg(runs).args(TINY).args(arguments);
    finish(&mut command)
}

/// A replay buffer that is filled after two iterations of the tiny run.
const REPLAY: [&str; 14] = [
    "--use-replay-buffer",
    "true",
    "--progressive",
    "off",
    "--replay-capacity",
    "64",
    "--replay-start",
    "16",
    "--replay-length",
    "2",
    "--replay-sequences",
    "4",
    "--env-steps-per-wm-update",
    "16",
];

#[test]
fn a_run_with_a_replay_buffer_is_continued_and_its_dreams_are_shown() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    let started = tiny_dream(&runs, &[&["--total-timesteps", "64"][..], &REPLAY].concat());
    started.succeeded();
    let run = only_run(&runs);
    finish(resume(&run).args(["--total-timesteps", "128"])).succeeded();
    let lines = fs::read_to_string(run.join("metrics.jsonl")).expect("there");
    let last = lines.lines().rev().find(|line| line.contains("\"type\":\"iteration\""));
    let last: serde_json::Value = serde_json::from_str(last.expect("an iteration")).expect("JSON");
    for name in ["imagined_reward", "imagined_loss", "transition_loss", "alpha"] {
        assert!(last["last"][name].is_number(), "{name} is missing in {last}");
    }

    let file = folder.path().join("dreams.jsonl");
    let mut play = native();
    play.args(["play", "--dream", "4", "--max-steps", "12", "--device", "cpu", "--dream-file"]);
    let shown = finish(play.arg(&file).arg(&run));
    shown.succeeded();
    let dreams = fs::read_to_string(&file).expect("written");
    let first: serde_json::Value =
        serde_json::from_str(dreams.lines().next().expect("a line")).expect("JSON");
    assert!(first["steps"][0]["imagined_reward"].is_number(), "{first}");
    // The file is there already: nothing is overwritten.
    let mut again = native();
    again.args(["play", "--dream", "--device", "cpu", "--dream-file"]).arg(&file).arg(&run);
    finish(&mut again).refused_in_one_paragraph(&["dreams.jsonl", "--dream-file"]);
    assert_eq!(fs::read_to_string(&file).expect("there"), dreams);
}

#[test]
fn an_agent_without_a_world_model_has_no_dreams() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    let mut command = native();
    command.args(["--env", "maze", "--algo", "ppo", "--device", "cpu", "--runs-dir"]);
    finish(command.arg(&runs).args(TINY)).succeeded();
    let mut play = native();
    play.args(["play", "--dream", "--device", "cpu"]).arg(only_run(&runs));
    finish(&mut play).refused_in_one_paragraph(&["no world model", "dream-spi"]);
}

#[test]
fn what_cannot_work_is_refused_with_the_reason_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    let categorical = ["--transition-density", "categorical"];
    for (arguments, words) in [
        (&["--imagination-horizon", "0"][..], &["imagination_horizon", "1 to 256"][..]),
        (&["--imagination-num-minibatches", "7"], &["imagination_num_minibatches", "divisor"]),
        (&["--progressive", "off", "--use-v-trace", "true"], &["use_v_trace", "use_replay_buffer"]),
        (&["--use-replay-buffer", "true"], &["progressive", "off with use_replay_buffer"]),
        (&["--certified"], &["certified", "dream-spi"]),
        (&["--encoder-learning-rate", "0"], &["encoder_learning_rate", "> 0"]),
        (&["--reward-loss-coef", "0", "--transition-loss-coef", "0"], &["transition_loss_coef"]),
        (&["--use-attention", "true"], &["use_attention", "categorical"]),
        (&["--lambda-gp", "0.01"], &["lambda_gp", "lipschitz_nets = false"]),
        (&["--n-cat", "0"], &["n_cat", "1 to 256"]),
        (&["--clip-reward-net-output", "true"], &["clip_reward_net_output", "categorical"]),
    ] {
        tiny_dream(&runs, arguments).refused_in_one_paragraph(words);
        assert!(entries(&runs).is_empty(), "{arguments:?} left something behind");
    }
    for (arguments, words) in [
        (&["--categorical-network", "conv"][..], &["use_feature_group", "conv"][..]),
        (
            &["--wasserstein-discriminator", "true", "--categorical-cost", "cross-entropy"],
            &["wasserstein_discriminator", "cross-entropy"],
        ),
        (&["--layer-norm-cnn-output", "true"], &["layer_norm_cnn_output", "categorical"]),
    ] {
        tiny_dream(&runs, &[&categorical[..], arguments].concat()).refused_in_one_paragraph(words);
    }
    let mut huge = REPLAY.to_vec();
    huge[5] = "99000000000000";
    tiny_dream(&runs, &huge).refused_in_one_paragraph(&["GB of memory", "--replay-capacity"]);
    let mut other = native();
    other.args(["--env", "maze", "--done-predictor", "true", "--algo", "ppo", "--runs-dir"]);
    finish(other.arg(&runs).args(TINY)).refused_in_one_paragraph(&["done_predictor"]);
    assert!(entries(&runs).is_empty(), "something was left behind");
}
