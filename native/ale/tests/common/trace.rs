//! A fingerprint of a run, and the results of a step as columns.

use std::hash::{DefaultHasher, Hash, Hasher};

use deepspi_ale::AtariEnvs;
use deepspi_worlds::env::VectorEnv as _;

use crate::common::Actions;

/// Results of one step of all environments.
pub(crate) struct Columns {
    pub(crate) observations: Vec<u8>,
    pub(crate) rewards: Vec<f32>,
    pub(crate) raw_rewards: Vec<f32>,
    pub(crate) dones: Vec<bool>,
    pub(crate) terminated: Vec<bool>,
    pub(crate) truncated: Vec<bool>,
    pub(crate) lives: Vec<i32>,
    pub(crate) elapsed_steps: Vec<u32>,
}

/// Starts new games and returns the results of the reset.
pub(crate) fn reset(envs: &mut AtariEnvs) -> Columns {
    envs.reset().unwrap();
    columns(envs)
}

/// Takes a step and returns its results.
pub(crate) fn step(envs: &mut AtariEnvs, actions: &[u32]) -> Columns {
    envs.step(actions).unwrap();
    columns(envs)
}

fn columns(envs: &AtariEnvs) -> Columns {
    let results = envs.results();
    Columns {
        observations: envs.observations().to_vec(),
        rewards: results.iter().map(|one| one.reward).collect(),
        raw_rewards: results.iter().map(|one| one.raw_reward).collect(),
        dones: results.iter().map(|one| one.done).collect(),
        terminated: results.iter().map(|one| one.terminated).collect(),
        truncated: results.iter().map(|one| one.truncated).collect(),
        lives: results.iter().map(|one| one.lives).collect(),
        elapsed_steps: results.iter().map(|one| one.elapsed_steps).collect(),
    }
}

/// A digest of everything that `steps` random steps return.
pub(crate) fn trace(envs: &mut AtariEnvs, steps: usize, seed: u32) -> u64 {
    let mut actions = Actions::new(seed);
    let mut hasher = DefaultHasher::new();
    reset(envs).observations.hash(&mut hasher);
    for _ in 0..steps {
        let chosen: Vec<u32> = (0..envs.num_envs()).map(|_| actions.next(envs.actions())).collect();
        let view = step(envs, &chosen);
        view.observations.hash(&mut hasher);
        view.raw_rewards
            .iter()
            .chain(&view.rewards)
            .for_each(|reward| reward.to_bits().hash(&mut hasher));
        (view.dones, view.terminated, view.truncated, view.lives, view.elapsed_steps)
            .hash(&mut hasher);
    }
    hasher.finish()
}
