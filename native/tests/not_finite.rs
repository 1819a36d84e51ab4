//! A training whose values become NaN or infinite stops with its own exit code and keeps the valid
//! checkpoints.

mod common;

use common::{checkpoint, checkpoints, finish, only_run, tiny};

#[test]
fn an_exploding_training_exits_with_3_and_names_the_quantity() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // The steps are so large that products of parameters overflow.
    let finished = finish(tiny(folder.path()).args([
        "--learning-rate",
        "1e35",
        "--save-every",
        "1",
        "--total-timesteps",
        "160",
    ]));
    assert_eq!(finished.code, Some(3), "not a number has its own exit code: {}", finished.stderr);
    assert!(
        finished.stderr.contains("became NaN") || finished.stderr.contains("became inf"),
        "the message must name the value: {}",
        finished.stderr
    );
    assert!(!finished.stderr.contains("panicked"), "it is no crash: {}", finished.stderr);
    let run = only_run(folder.path());
    // `tests/tests/not_finite.rs` shows that a state with NaN or infinite values is never handed
    // out for saving.
    if run.join("checkpoints").exists() {
        for step in checkpoints(&run) {
            native::run::checkpoints::read(&checkpoint(&run, step))
                .expect("what was left is whole");
        }
    }
}
