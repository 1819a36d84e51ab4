//! Random episodic MDPs, for examples and for benchmarks of the theory.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::abstraction::Abstraction;
use super::error::TheoryError;
use super::mdp::{Mdp, MdpParts};
use super::policy::Policy;

/// Smallest probability with which a step ends the episode, so that the episodes of every policy
/// end.
const END: f64 = 0.05;

/// A random MDP with `states` states, the last of them terminal. Every pair of state and action has
/// `branching` random next states and ends the episode with probability at least 0.05; rewards are
/// in [-1, 1]. The same seed gives the same MDP.
///
/// # Errors
/// If the sizes are too small (at least two states, one action and one next state are needed) or
/// gamma is out of range.
pub fn random_mdp(
    states: usize,
    actions: usize,
    branching: usize,
    gamma: f64,
    seed: u64,
) -> Result<Mdp, TheoryError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let last = states.saturating_sub(1);
    let row = |rng: &mut ChaCha8Rng| -> Vec<(usize, f64)> {
        let weights = simplex(branching, rng);
        let mut row: Vec<(usize, f64)> = weights
            .into_iter()
            .map(|weight| (rng.random_range(0..last.max(1)), weight * (1.0 - END)))
            .collect();
        row.push((last, END));
        row
    };
    let transitions = (0..states * actions).map(|_| row(&mut rng)).collect();
    let rewards = (0..states * actions).map(|_| rng.random_range(-1.0..=1.0)).collect();
    let terminal = (0..states).map(|state| state == last).collect();
    Mdp::new(MdpParts { states, actions, transitions, rewards, gamma, start: 0, terminal })
}

/// A random encoder of an MDP whose last state is terminal. It has `latents` latents, the last of
/// them terminal.
///
/// # Errors
/// If `latents` leaves no latent besides the terminal one.
pub fn random_abstraction(
    mdp: &Mdp,
    latents: usize,
    seed: u64,
) -> Result<Abstraction, TheoryError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let last = latents.saturating_sub(1);
    let latent_of = (0..mdp.states())
        .map(|state| if mdp.is_terminal(state) { last } else { rng.random_range(0..last.max(1)) })
        .collect();
    Abstraction::new(mdp, latent_of, (0..latents).map(|latent| latent == last).collect())
}

/// A random policy in which every action has a positive probability.
///
/// # Errors
/// If there are no actions.
pub fn random_policy(states: usize, actions: usize, seed: u64) -> Result<Policy, TheoryError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Policy::new(states, actions, (0..states).flat_map(|_| simplex(actions, &mut rng)).collect())
}

/// A uniformly distributed point of the simplex: exponential variates divided by their sum.
fn simplex(len: usize, rng: &mut impl Rng) -> Vec<f64> {
    let draws: Vec<f64> = (0..len).map(|_| 1e-12 - (1.0 - rng.random::<f64>()).ln()).collect();
    let sum: f64 = draws.iter().sum();
    draws.into_iter().map(|x| x / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{episodic_chain, evaluate};
    use super::*;

    #[test]
    fn a_seed_decides_everything_and_episodes_end() {
        let mdp = random_mdp(30, 3, 4, 0.95, 7).expect("valid");
        assert_eq!(mdp, random_mdp(30, 3, 4, 0.95, 7).expect("valid"));
        assert_ne!(mdp, random_mdp(30, 3, 4, 0.95, 8).expect("valid"));
        let policy = random_policy(30, 3, 1).expect("valid");
        policy.require_full_support(&mdp).expect("every action is possible");
        assert!(episodic_chain(&mdp, &policy).expect("ends").ael <= 1.0 / END + 1e-9);
        assert!(
            evaluate(&mdp, &policy).expect("solvable").start_return.abs() <= 1.0 / (1.0 - 0.95)
        );
        let abstraction = random_abstraction(&mdp, 6, 2).expect("valid");
        assert_eq!((abstraction.latents(), abstraction.latent(29)), (6, 5));
    }

    #[test]
    fn sizes_that_cannot_be_are_errors() {
        random_mdp(1, 1, 1, 0.9, 1).expect_err("the start would be terminal");
        random_mdp(3, 1, 1, 1.0, 1).expect_err("gamma");
    }
}
