//! Exact safe policy iteration on a small random MDP; all steps are computed at once.
//!
//! The MDP has so few states that everything is recomputed while the user drags a slider.

use deepspi_theory::{
    Mdp, Neighbourhood, Policy, Ratios, SafePolicyIteration, SafeStep, TheoryError, Values,
    optimal, random_mdp,
};

use super::STEPS;
use crate::simplex::{ACTIONS, Distribution};

/// Number of states in which an action is chosen; one further state ends the episode.
pub const STATES: usize = 5;
/// Number of states to which an action can lead, besides the end.
const BRANCHING: usize = 2;

/// The steps of the iteration, which starts from the uniform policy.
#[derive(Clone, Debug, PartialEq)]
pub struct SafeIteration {
    start: (Policy, Values),
    steps: Vec<SafeStep>,
    optimum: Values,
}

impl SafeIteration {
    /// Computes [`STEPS`] steps in the random MDP of this seed.
    ///
    /// # Errors
    /// [`TheoryError`] for a discount outside `[0, 1)` or a `C` outside `(1, 2)`.
    pub fn new(seed: u64, gamma: f64, c: f64) -> Result<Self, TheoryError> {
        let mdp: Mdp = random_mdp(STATES + 1, ACTIONS, BRANCHING, gamma, seed)?;
        let uniform = Policy::uniform(STATES + 1, ACTIONS);
        let iteration = SafePolicyIteration::new(&mdp, uniform, Neighbourhood::new(c)?)?;
        let start = (iteration.policy().clone(), iteration.values().clone());
        let steps = iteration.take(STEPS).collect::<Result<_, _>>()?;
        Ok(Self { start, steps, optimum: optimal(&mdp)?.values })
    }

    /// Values after this number of steps.
    #[must_use]
    pub fn values(&self, step: usize) -> &Values {
        step.checked_sub(1).map_or(&self.start.1, |last| &self.steps[last].values)
    }

    /// `pi(.|state)` after this number of steps.
    #[must_use]
    pub fn policy(&self, step: usize, state: usize) -> Distribution {
        let policy = step.checked_sub(1).map_or(&self.start.0, |last| &self.steps[last].policy);
        let row = policy.row(state);
        std::array::from_fn(|action| row[action])
    }

    /// `Q(state, .)` of the policy after this number of steps.
    #[must_use]
    pub fn action_values(&self, step: usize, state: usize) -> [f64; ACTIONS] {
        let values = self.values(step);
        std::array::from_fn(|action| values.q[state * ACTIONS + action])
    }

    /// Ratios of this step, and the smallest change of a state's value; none for step 0.
    #[must_use]
    pub fn last(&self, step: usize) -> Option<(Ratios, f64)> {
        let before = step.checked_sub(1)?;
        // `SafeStep::least_improvement` includes the end, whose value never changes.
        let values = self.values(step).v[..STATES].iter().zip(&self.values(before).v);
        let least = values.map(|(new, old)| new - old).fold(f64::INFINITY, f64::min);
        Some((self.steps[before].ratios, least))
    }

    /// Optimal values.
    #[must_use]
    pub const fn optimum(&self) -> &Values {
        &self.optimum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_rise_towards_the_optimum_within_the_neighbourhood() {
        for (seed, c) in [(1, 1.25), (2, 1.05), (3, 1.9)] {
            let iteration = SafeIteration::new(seed, 0.7, c).expect("valid");
            assert!(iteration.last(0).is_none());
            for step in 1..=STEPS {
                let (ratios, least) = iteration.last(step).expect("a step");
                assert!(ratios.sup <= c + 1e-9 && ratios.inf >= 2.0 - c - 1e-9);
                assert!(least >= -1e-12, "no state gets worse");
            }
            let left = |step: usize| {
                iteration.optimum().start_return - iteration.values(step).start_return
            };
            assert!(left(STEPS) >= -1e-12 && left(STEPS) < left(0));
        }
    }

    #[test]
    fn rows_belong_to_their_state() {
        let iteration = SafeIteration::new(1, 0.7, 1.25).expect("valid");
        assert_eq!(iteration.policy(0, 3), [1.0 / 3.0; 3]);
        let (q, values) = (iteration.action_values(4, 2), iteration.values(4));
        let policy = iteration.policy(4, 2);
        let mean: f64 = q.iter().zip(policy).map(|(q, p)| q * p).sum();
        assert!((mean - values.v[2]).abs() < 1e-12);
    }
}
