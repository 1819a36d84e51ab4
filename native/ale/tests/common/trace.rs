//! A fingerprint of a run.

use std::hash::{DefaultHasher, Hash, Hasher};

use deepspi_atari::VecEnv;

use crate::common::Actions;

/// A digest of everything that `steps` random steps return.
pub(crate) fn trace(envs: &mut VecEnv, steps: usize, seed: u32) -> u64 {
    let mut actions = Actions::new(seed);
    let mut hasher = DefaultHasher::new();
    envs.reset().unwrap().observations.hash(&mut hasher);
    for _ in 0..steps {
        let chosen: Vec<u32> =
            (0..envs.num_envs()).map(|_| actions.next(envs.n_actions())).collect();
        let view = envs.step(&chosen).unwrap();
        view.observations.hash(&mut hasher);
        view.raw_rewards
            .iter()
            .chain(view.rewards)
            .for_each(|reward| reward.to_bits().hash(&mut hasher));
        (view.dones, view.terminated, view.truncated, view.lives, view.elapsed_steps)
            .hash(&mut hasher);
    }
    hasher.finish()
}
