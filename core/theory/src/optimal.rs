//! Optimal values by policy iteration.
//!
//! The result must be checked by its Bellman residual; it is not enough that the iteration has
//! stopped. It is `Ok` only with a proven bound on the distance to `V*`.

use super::error::TheoryError;
use super::linear::max_norm;
use super::mdp::Mdp;
use super::policy::{Policy, first_largest};
use super::values::{Values, evaluate};

/// Largest number of rounds. Policy iteration needs a handful; this only prevents an endless loop.
const MOST_ITERATIONS: usize = 1000;
/// An action is replaced only by one that is better by at least this much, relative to the largest
/// value. Smaller differences are rounding errors, which could make the iteration cycle.
const SWITCH_MARGIN: f64 = 1e-12;

/// Optimal values and a deterministic policy that attains them.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimum {
    /// Values of `policy`; `error` bounds the distance of `v` to `V*`, not only to the values of
    /// `policy`.
    pub values: Values,
    /// A deterministic optimal policy.
    pub policy: Policy,
    /// Number of policies evaluated.
    pub iterations: usize,
}

/// `V*` by policy iteration; the first policy takes the action with the largest immediate reward.
///
/// # Errors
/// Those of [`evaluate`]; [`TheoryError::NotConverged`] after 1,000 rounds.
pub fn optimal(mdp: &Mdp) -> Result<Optimum, TheoryError> {
    let actions = mdp.actions();
    let mut choices: Vec<usize> = mdp.rewards().chunks(actions).map(first_largest).collect();
    for iteration in 1..=MOST_ITERATIONS {
        let policy = Policy::deterministic(&choices, actions)?;
        let mut values = evaluate(mdp, &policy)?;
        let margin = SWITCH_MARGIN * max_norm(&values.v).max(max_norm(mdp.rewards()));
        let mut changed = false;
        let mut residual = 0.0_f64;
        for state in mdp.live_states() {
            let row = &values.q[state * actions..(state + 1) * actions];
            let best = first_largest(row);
            residual = residual.max((row[best] - values.v[state]).abs());
            if row[best] > row[choices[state]] + margin {
                choices[state] = best;
                changed = true;
            }
        }
        if !changed {
            // |v - V*| <= |T v - v| / (1 - gamma) for the optimal Bellman operator T.
            values.error = residual / (1.0 - mdp.gamma());
            return Ok(Optimum { values, policy, iterations: iteration });
        }
    }
    Err(TheoryError::NotConverged { what: "policy iteration", iterations: MOST_ITERATIONS })
}

#[cfg(test)]
mod tests {
    use super::super::mdp::MdpParts;
    use super::*;

    #[test]
    fn waiting_for_the_larger_reward_pays_when_gamma_is_large() {
        // State 0: receive 1 now and end the episode, or go to state 1 and receive 2.
        let parts = MdpParts {
            states: 3,
            actions: 2,
            transitions: vec![
                vec![(2, 1.0)],
                vec![(1, 1.0)],
                vec![(2, 1.0)],
                vec![(2, 1.0)],
                vec![],
                vec![],
            ],
            rewards: vec![1.0, 0.0, 0.0, 2.0, 0.0, 0.0],
            gamma: 0.9,
            start: 0,
            terminal: vec![false, false, true],
        };
        let patient = optimal(&Mdp::new(parts.clone()).unwrap()).unwrap();
        assert!((patient.values.start_return - 1.8).abs() < 1e-14);
        assert_eq!(patient.policy.row(0), [0.0, 1.0]);
        let hasty = optimal(&Mdp::new(MdpParts { gamma: 0.4, ..parts }).unwrap()).unwrap();
        assert!((hasty.values.start_return - 1.0).abs() < 1e-14);
        assert!(hasty.values.error < 1e-14);
    }
}
