//! Shared by the tests of the core as a whole: a small network, and an environment whose complete
//! state is a counter.
//!
//! This environment can be set to an exact state without replaying anything, so a test can demand
//! that a run resumed from a checkpoint equals the uninterrupted run bit for bit. Tests of the
//! command line must stay in `native/tests`, because cargo gives the path of a program only to
//! tests of its own package.

use burn::tensor::Tensor;
use deepspi_core::read_floats;
use deepspi_core::trainer::Trainer;
use deepspi_run::config::Config;
use deepspi_run::message::Message;
use deepspi_run::network::{ConvSpec, NetworkSpec};
use deepspi_worlds::env::{EnvError, Outcome, Pending, VectorEnv, ready};
use deepspi_worlds::frame::FrameShape;
use rand::{Rng, RngExt};

/// Number of actions of [`CueEnv`] and of [`spec`].
pub const ACTIONS: usize = 3;
/// Side of a frame.
const SIDE: usize = 12;
/// Rows of a frame that show one cue.
const STRIPE: usize = SIDE / ACTIONS;

/// Networks with every kind of layer, small enough that an update takes milliseconds.
#[must_use]
pub fn spec() -> NetworkSpec {
    let conv = |outputs, kernel, stride| ConvSpec { outputs, kernel, stride };
    NetworkSpec {
        frame: FrameShape { channels: 1, height: SIDE, width: SIDE },
        actions: ACTIONS,
        encoder: vec![conv(8, 4, 2), conv(16, 3, 1)],
        hidden: 32,
        reward_hidden: 16,
        transition_groups: 4,
    }
}

/// The configuration of a run with six iterations of two updates.
#[must_use]
pub fn config() -> Config {
    Config {
        num_envs: 4,
        num_steps: 4,
        num_minibatches: 2,
        update_epochs: 1,
        total_timesteps: 6 * 16,
        learning_rate: 1e-3,
        ..Config::default()
    }
}

/// A contextual bandit with episodes: a bright stripe shows which action has reward 1; the others
/// have reward 0.
///
/// Cue, background and the ends of episodes are functions of one counter. It follows the convention
/// of [`deepspi_worlds::env`]: the step after `done` ignores its action and has reward 0.
#[derive(Clone, Debug)]
pub struct CueEnv {
    counter: u64,
    surprise: Option<(u64, f32)>,
    observations: Vec<u8>,
    outcomes: Vec<Outcome>,
}

impl CueEnv {
    /// `num_envs` environments that have taken `counter` steps.
    #[must_use]
    pub fn at(num_envs: usize, counter: u64) -> Self {
        let mut env = Self {
            counter,
            surprise: None,
            observations: vec![0; num_envs * SIDE * SIDE],
            outcomes: vec![Outcome::default(); num_envs],
        };
        env.draw();
        env
    }

    /// Makes `reward` the reward of environment 0 at step `step` (from 1), for every action.
    #[must_use]
    pub fn with_reward_at(mut self, step: u64, reward: f32) -> Self {
        self.surprise = Some((step, reward));
        self
    }

    /// Number of steps of an episode of environment `env`, including the step after its end.
    #[must_use]
    pub const fn episode_len(env: usize) -> u64 {
        5 + (env % 3) as u64
    }

    fn cue(env: usize, counter: u64) -> usize {
        (hash(env as u64, counter) % ACTIONS as u64) as usize
    }

    fn draw(&mut self) {
        for (env, frame) in self.observations.chunks_mut(SIDE * SIDE).enumerate() {
            let cue = Self::cue(env, self.counter);
            for (i, pixel) in frame.iter_mut().enumerate() {
                let background = (hash(self.counter, (env * SIDE * SIDE + i) as u64) % 32) as u8;
                *pixel = if i / SIDE / STRIPE == cue { 255 } else { background };
            }
        }
    }
}

impl VectorEnv for CueEnv {
    fn num_envs(&self) -> usize {
        self.outcomes.len()
    }

    fn frame(&self) -> FrameShape {
        FrameShape { channels: 1, height: SIDE, width: SIDE }
    }

    fn actions(&self) -> usize {
        ACTIONS
    }

    fn send_reset(&mut self) -> Result<(), EnvError> {
        self.counter = 0;
        self.draw();
        Ok(())
    }

    fn send(&mut self, actions: &[u32]) -> Result<(), EnvError> {
        for (env, (outcome, &action)) in self.outcomes.iter_mut().zip(actions).enumerate() {
            let len = Self::episode_len(env);
            let was_over = self.counter % len == len - 1;
            let right = action as usize == Self::cue(env, self.counter);
            let over = (self.counter + 1) % len == len - 1;
            let reward = f32::from(u8::from(right && !was_over));
            *outcome = Outcome {
                reward,
                raw_reward: reward,
                done: over,
                game_over: over,
                reported_end: over,
            };
        }
        self.counter += 1;
        if let Some((_, reward)) = self.surprise.filter(|(step, _)| *step == self.counter) {
            self.outcomes[0].reward = reward;
        }
        self.draw();
        Ok(())
    }

    fn receive(&mut self) -> Pending<'_> {
        ready()
    }

    fn observations(&self) -> &[u8] {
        &self.observations
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }
}

/// A hash of two numbers (`SplitMix64`).
const fn hash(a: u64, b: u64) -> u64 {
    let mut z =
        a.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(b).wrapping_mul(0xD1B5_4A32_D192_ED03);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Runs `iterations` iterations and returns the trainer's messages.
///
/// # Panics
/// If an iteration fails.
pub fn train(trainer: &mut Trainer, env: &mut CueEnv, iterations: u64) -> Vec<Message> {
    let mut messages = Vec::new();
    for _ in 0..iterations {
        pollster::block_on(trainer.iterate(env, |message| messages.push(message)))
            .expect("an iteration on finite rewards must succeed");
    }
    messages
}

/// The values of a tensor.
///
/// # Panics
/// If they cannot be read.
#[must_use]
pub fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    pollster::block_on(read_floats(tensor)).expect("values of the CPU can be read")
}

/// `len` values uniform in [-1, 1).
pub fn uniform(rng: &mut impl Rng, len: usize) -> Vec<f32> {
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Euclidean norm, summed in f64.
#[must_use]
pub fn norm(values: &[f32]) -> f64 {
    dot(values, values).sqrt()
}

/// Dot product, summed in f64.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}
