//! The benchmark accepts the hyper-parameters that training accepts.

mod common;

use common::{TINY, finish, native};

/// `native speed` at the smallest size there is.
fn speed(arguments: &[&str]) -> common::Finished {
    let mut command = native();
    command.args(["speed", "--device", "cpu", "--repeats", "1", "--json"]).args(TINY);
    finish(command.args(arguments))
}

#[test]
fn a_certified_run_is_completed_as_training_completes_it() {
    let run = speed(&["--certified", "--gamma", "0.9"]);
    let report: serde_json::Value =
        serde_json::from_str(&run.succeeded().stdout).expect("one JSON object");
    assert!(report["end_to_end_steps_per_second"]["median"].as_f64().is_some_and(|x| x > 0.0));
    speed(&["--certified", "--clip-coef", "0.2"])
        .refused_in_one_paragraph(&["`clip_coef` is 0.2", "leave it out to have it chosen"]);
}
