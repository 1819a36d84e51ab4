//! Tests that all parts together learn: correct gradients of a wrong quantity would pass every
//! other test.

use burn::tensor::Device;
use deepspi_core::trainer::Trainer;
use deepspi_run::config::{Algorithm, Config};
use deepspi_run::message::Message;
use tests::{CueEnv, spec, train};

/// Reward per step over the episodes that end in `messages`.
fn reward_per_step(messages: &[Message]) -> f64 {
    let (mut reward, mut steps) = (0.0, 0);
    for message in messages {
        if let Message::Episode(episode) = message {
            reward += episode.raw_return;
            steps += episode.length;
        }
    }
    reward / steps as f64
}

#[test]
fn deep_spi_learns_which_action_the_frame_asks_for() {
    let config = Config {
        algo: Algorithm::DeepSpi,
        num_envs: 8,
        num_steps: 16,
        total_timesteps: 128 * 40,
        learning_rate: 1e-3,
        gamma: 0.5,
        ..Config::default()
    };
    let mut trainer = Trainer::new(config, spec(), &Device::flex()).expect("valid configuration");
    let mut env = CueEnv::at(8, 0);
    let before = reward_per_step(&train(&mut trainer, &mut env, 5));
    train(&mut trainer, &mut env, 30);
    let after = reward_per_step(&train(&mut trainer, &mut env, 5));
    // An episode of 5 to 7 steps has reward 1 on all but one of them: perfect play gets about 0.83
    // per step, random play a third of it, 0.28. Over the 640 steps of five iterations the standard
    // error of random play is 0.02, so 0.6 is far beyond chance and still leaves room for
    // exploration.
    assert!(before < 0.6, "{before} per step at the start: this game needs no learning");
    assert!(
        after > 0.6,
        "only {after} per step after 35 iterations (from {before}): nothing was learned"
    );
}
