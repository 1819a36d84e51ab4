//! NaN and infinity must stop a run with the name of the quantity, before they reach a checkpoint.

use burn::tensor::Device;
use deepspi_core::{
    run_state::{NotFinite, TrainError},
    trainer::Trainer,
};
use tests::{CueEnv, config, spec};

/// The error of the first iteration that fails, if the reward of environment 0 at step `step` is
/// `reward`.
fn failure(step: u64, reward: f32) -> NotFinite {
    let config = config();
    let mut env = CueEnv::at(config.num_envs, 0).with_reward_at(step, reward);
    let mut trainer = Trainer::new(config, spec(), &Device::flex()).expect("valid configuration");
    let mut outcome: Result<(), TrainError> = Ok(());
    while outcome.is_ok() && !trainer.is_finished() {
        outcome = pollster::block_on(trainer.iterate(&mut env, |_| {}));
    }
    match outcome {
        Err(TrainError::NotFinite(found)) => found,
        other => {
            unreachable!("a reward of {reward} must be reported as not finite, not as {other:?}")
        }
    }
}

#[test]
fn a_reward_that_is_no_number_is_named() {
    // Step 6 is the second step of the second iteration.
    for (reward, value) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")]
    {
        let expected = NotFinite {
            quantity: "a reward".into(),
            value: value.into(),
            iteration: 1,
            update: None,
        };
        assert_eq!(
            failure(6, reward),
            expected,
            "the reward itself must be named, with its iteration"
        );
    }
    assert_eq!(
        failure(6, f32::NAN).to_string(),
        "a reward became NaN in iteration 1",
        "the text is what the user reads"
    );
}

#[test]
fn a_loss_that_overflows_is_named_with_its_update() {
    // The reward is finite, but its square is not.
    let found = failure(2, 1e30);
    assert_eq!(found.iteration, 0, "{found}");
    assert!(
        found.quantity.contains("loss"),
        "a loss overflows first, but the message says: {found}"
    );
    assert!(found.update.is_some(), "a loss belongs to an update: {found}");
}
