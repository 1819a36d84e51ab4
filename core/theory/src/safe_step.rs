//! The exact step of Theorem 1, and its iteration.
//!
//! In each state the largest expected score over `N^C` has a closed form: every action keeps
//! `(2 - C) pi(a)`, and the remaining mass `C - 1` goes to the actions in order of decreasing
//! score, at most `2 (C - 1) pi(a)` to each. The half of the mass with the best scores gets ratio
//! `C`, the worst half gets `2 - C`. Actions of equal score get shares in proportion to `pi`, so
//! that a state in which all actions are equal stays unchanged. A step must not lose support, not
//! even by underflow: `FLOOR` ensures this.

use super::error::TheoryError;
use super::mdp::Mdp;
use super::neighbourhood::{Neighbourhood, Ratios, ratios};
use super::policy::{Policy, check_scores};
use super::values::{Values, evaluate};

/// Probabilities are not lowered below this value. Actions at the floor keep ratio 1, which is
/// inside every `N^C`; the mass involved is far below rounding.
const FLOOR: f64 = 1e-300;

impl Neighbourhood {
    /// The policy of `N^C(policy)` with the largest `sum_a pi'(a|s) scores[s, a]` in every state;
    /// `scores` is `[S, A]`, for Theorem 1 the advantages of `policy`. Actions of probability 0
    /// stay at 0; terminal states stay as they are.
    ///
    /// # Errors
    /// [`TheoryError`] if a size is wrong or a score is NaN or infinite.
    pub fn step(self, mdp: &Mdp, policy: &Policy, scores: &[f64]) -> Result<Policy, TheoryError> {
        policy.require_fits(mdp)?;
        let (states, actions) = (mdp.states(), mdp.actions());
        check_scores("the score", states, actions, scores)?;
        let mut table = policy.table().to_vec();
        for state in mdp.live_states() {
            let range = state * actions..(state + 1) * actions;
            self.step_row(policy.row(state), &scores[range.clone()], &mut table[range]);
        }
        Policy::new(states, actions, table)
    }

    /// The closed form in one state; all slices are `[A]`.
    fn step_row(self, old: &[f64], scores: &[f64], new: &mut [f64]) {
        let c = self.c();
        let mut order: Vec<usize> = (0..old.len()).filter(|action| old[*action] > 0.0).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let mut left = c - 1.0;
        for group in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
            let mass: f64 = group.iter().map(|action| old[*action]).sum();
            let extra = left.min(2.0 * (c - 1.0) * mass);
            left -= extra;
            let ratio = 2.0 - c + extra / mass;
            for action in group {
                new[*action] = (ratio * old[*action]).max(old[*action].min(FLOOR));
            }
        }
    }
}

/// One step of [`SafePolicyIteration`].
#[derive(Clone, Debug, PartialEq)]
pub struct SafeStep {
    /// Index of the step, from 1.
    pub iteration: usize,
    /// The policy after the step.
    pub policy: Policy,
    /// Its values.
    pub values: Values,
    /// Ratios of the new policy to the one before: `sup` is SIR, `inf` the smallest ratio.
    pub ratios: Ratios,
    /// `rho` after the step minus `rho` before; by Theorem 1 not negative, up to rounding.
    pub improvement: f64,
    /// The smallest `V'(s) - V(s)` over all states; by Theorem 1 not negative, up to rounding.
    pub least_improvement: f64,
}

/// Exact safe policy iteration (Theorem 1): an endless iterator whose values increase to `V*`.
#[derive(Clone, Debug)]
pub struct SafePolicyIteration<'a> {
    mdp: &'a Mdp,
    neighbourhood: Neighbourhood,
    policy: Policy,
    values: Values,
    iteration: usize,
    failed: bool,
}

impl<'a> SafePolicyIteration<'a> {
    /// Starts at `policy`.
    ///
    /// # Errors
    /// [`TheoryError::ZeroSupport`] with the place if an action has probability 0 in a state that
    /// is not terminal; errors of [`evaluate`].
    pub fn new(
        mdp: &'a Mdp,
        policy: Policy,
        neighbourhood: Neighbourhood,
    ) -> Result<Self, TheoryError> {
        policy.require_full_support(mdp)?;
        let values = evaluate(mdp, &policy)?;
        Ok(Self { mdp, neighbourhood, policy, values, iteration: 0, failed: false })
    }

    /// The policy after the last step; before the first step, the given one.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Values of [`SafePolicyIteration::policy`].
    #[must_use]
    pub const fn values(&self) -> &Values {
        &self.values
    }

    fn advance(&mut self) -> Result<SafeStep, TheoryError> {
        let policy = self.neighbourhood.step(self.mdp, &self.policy, &self.values.advantage)?;
        let values = evaluate(self.mdp, &policy)?;
        let least_improvement = values
            .v
            .iter()
            .zip(&self.values.v)
            .map(|(new, old)| new - old)
            .fold(f64::INFINITY, f64::min);
        self.iteration += 1;
        let step = SafeStep {
            iteration: self.iteration,
            ratios: ratios(self.mdp, &self.policy, &policy)?,
            improvement: values.start_return - self.values.start_return,
            least_improvement,
            policy: policy.clone(),
            values: values.clone(),
        };
        (self.policy, self.values) = (policy, values);
        Ok(step)
    }
}

impl Iterator for SafePolicyIteration<'_> {
    type Item = Result<SafeStep, TheoryError>;

    /// The next step; `None` after an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let step = self.advance();
        self.failed = step.is_err();
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mdp::MdpParts;
    use super::*;

    fn bandit(rewards: &[f64]) -> Mdp {
        let actions = rewards.len();
        Mdp::new(MdpParts {
            states: 2,
            actions,
            transitions: vec![vec![(1, 1.0)]; 2 * actions],
            rewards: [rewards, rewards].concat(),
            gamma: 0.9,
            start: 0,
            terminal: vec![false, true],
        })
        .unwrap()
    }

    fn stepped(old: &[f64], scores: &[f64], c: f64) -> Vec<f64> {
        let mut new = old.to_vec();
        Neighbourhood::new(c).unwrap().step_row(old, scores, &mut new);
        new
    }

    #[test]
    fn the_best_half_of_the_mass_rises_and_one_action_is_split() {
        let new = stepped(&[0.25, 0.5, 0.25], &[0.0, 1.0, 2.0], 1.5);
        // Extra mass 0.5: 0.25 for the best, the other 0.25 of at most 0.5 for the second.
        let expected = [0.125, 0.5, 0.375];
        assert!(new.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-15), "{new:?}");
    }

    #[test]
    fn equal_scores_change_nothing_and_zeros_stay() {
        assert_eq!(stepped(&[0.3, 0.7], &[1.0, 1.0], 1.5), [0.3, 0.7]);
        assert_eq!(stepped(&[0.0, 1.0], &[9.0, 1.0], 1.5), [0.0, 1.0]);
    }

    #[test]
    fn support_survives_underflow_and_the_policy_can_come_back() {
        let mdp = bandit(&[0.0, 1.0]);
        let near_two = Neighbourhood::new(1.999).unwrap();
        let mut iteration =
            SafePolicyIteration::new(&mdp, Policy::uniform(2, 2), near_two).unwrap();
        let last = iteration.nth(400).unwrap().unwrap();
        assert!(last.policy.probability(0, 0) > 0.0, "0.001^400 would have underflowed");
        let back = near_two.step(&mdp, &last.policy, &[1.0, 0.0, 0.0, 0.0]).unwrap();
        assert!(back.probability(0, 0) > last.policy.probability(0, 0) * 1.9);
        assert!(near_two.require(&mdp, &last.policy, &back).is_ok());
    }

    #[test]
    fn a_start_without_full_support_is_refused_with_its_place() {
        let mdp = bandit(&[0.0, 1.0]);
        let policy = Policy::deterministic(&[1, 0], 2).unwrap();
        let refused = SafePolicyIteration::new(&mdp, policy, Neighbourhood::new(1.5).unwrap());
        assert_eq!(refused.unwrap_err(), TheoryError::ZeroSupport { state: 0, action: 0 });
    }
}
