//! Stochastic policies as tables.
//!
//! A [`Policy`] has a distribution over actions in every row; rows of terminal states are present
//! but have no meaning. Theorem 1 depends on supports, so no method may round a probability to 0:
//! zeros stay exactly zero, and positive entries stay positive.

use super::error::TheoryError;
use super::mdp::{Mdp, SUM_TOLERANCE, check_index, check_size};

/// Larger scores and logits are rejected as mistakes, like infinite ones.
const LARGEST_SCORE: f64 = 1e120;

/// `pi(a|s)`, one row for each state.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    states: usize,
    actions: usize,
    /// `[S, A]`.
    table: Vec<f64>,
}

impl Policy {
    /// A policy from an `[S, A]` table; rows are divided by their sum.
    ///
    /// # Errors
    /// [`TheoryError`] if the size is wrong, an entry is negative or not finite, or a row does not
    /// sum to 1 within 1e-9.
    pub fn new(states: usize, actions: usize, table: Vec<f64>) -> Result<Self, TheoryError> {
        check_size("the policy table", table.len(), states * actions)?;
        let mut policy = Self { states, actions, table };
        for state in 0..states {
            let row = &mut policy.table[state * actions..(state + 1) * actions];
            let bad = row.iter().position(|p| !(p.is_finite() && *p >= 0.0));
            if let Some(action) = bad {
                let got = row[action];
                return Err(TheoryError::Probability { what: "the policy", state, action, got });
            }
            let sum: f64 = row.iter().sum();
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(TheoryError::PolicySum { state, sum });
            }
            row.iter_mut().for_each(|p| *p /= sum);
        }
        Ok(policy)
    }

    /// The uniform policy: every action has probability `1 / A`.
    #[must_use]
    pub fn uniform(states: usize, actions: usize) -> Self {
        Self { states, actions, table: vec![1.0 / actions as f64; states * actions] }
    }

    /// A deterministic policy from one action for each state, `[S]`.
    ///
    /// # Errors
    /// [`TheoryError::Index`] if an action does not exist.
    pub fn deterministic(choices: &[usize], actions: usize) -> Result<Self, TheoryError> {
        let mut table = vec![0.0; choices.len() * actions];
        for (state, choice) in choices.iter().enumerate() {
            check_index("the chosen action", *choice, actions)?;
            table[state * actions + choice] = 1.0;
        }
        Ok(Self { states: choices.len(), actions, table })
    }

    /// The policy that takes the action with the largest score in each state, the first of several;
    /// scores `[S, A]`.
    ///
    /// # Errors
    /// [`TheoryError`] if the size is wrong or a score is NaN or too large.
    pub fn greedy(states: usize, actions: usize, scores: &[f64]) -> Result<Self, TheoryError> {
        check_scores("the score", states, actions, scores)?;
        let choices: Vec<usize> = scores.chunks(actions.max(1)).map(first_largest).collect();
        Self::deterministic(&choices, actions)
    }

    /// The policy that is the softmax of `[S, A]` logits.
    ///
    /// # Errors
    /// [`TheoryError`] if the size is wrong or a logit is NaN or too large.
    pub fn from_logits(states: usize, actions: usize, logits: &[f64]) -> Result<Self, TheoryError> {
        check_scores("the logit", states, actions, logits)?;
        let mut table = Vec::with_capacity(logits.len());
        for row in logits.chunks(actions.max(1)) {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = row.iter().map(|x| (x - largest).exp()).collect();
            let sum: f64 = weights.iter().sum();
            table.extend(weights.iter().map(|w| w / sum));
        }
        Ok(Self { states, actions, table })
    }

    /// Number of states, `S`.
    #[must_use]
    pub const fn states(&self) -> usize {
        self.states
    }

    /// Number of actions, `A`.
    #[must_use]
    pub const fn actions(&self) -> usize {
        self.actions
    }

    /// The complete `[S, A]` table.
    #[must_use]
    pub fn table(&self) -> &[f64] {
        &self.table
    }

    /// `pi(.|s)`, `[A]`.
    #[must_use]
    pub fn row(&self, state: usize) -> &[f64] {
        &self.table[state * self.actions..(state + 1) * self.actions]
    }

    /// `pi(a|s)`.
    #[must_use]
    pub fn probability(&self, state: usize, action: usize) -> f64 {
        self.table[state * self.actions + action]
    }

    /// Checks that every action has a positive probability in every state that is not terminal.
    /// Theorem 1 requires it of its first policy.
    ///
    /// # Errors
    /// [`TheoryError::ZeroSupport`] with the first action of probability 0; an error of the size.
    pub fn require_full_support(&self, mdp: &Mdp) -> Result<(), TheoryError> {
        self.require_fits(mdp)?;
        for state in mdp.live_states() {
            if let Some(action) = self.row(state).iter().position(|p| *p == 0.0) {
                return Err(TheoryError::ZeroSupport { state, action });
            }
        }
        Ok(())
    }

    /// Checks that the sizes of the table are those of the MDP.
    pub(super) fn require_fits(&self, mdp: &Mdp) -> Result<(), TheoryError> {
        check_size("the policy's state list", self.states, mdp.states())?;
        check_size("the policy's action list", self.actions, mdp.actions())
    }
}

/// Checks the size of an `[S, A]` table and that its numbers are finite.
pub(super) fn check_scores(
    what: &'static str,
    states: usize,
    actions: usize,
    scores: &[f64],
) -> Result<(), TheoryError> {
    check_size(what, scores.len(), states * actions)?;
    match scores.iter().position(|x| x.is_nan() || x.abs() > LARGEST_SCORE) {
        None => Ok(()),
        Some(index) => Err(TheoryError::NotFinite {
            what,
            state: index / actions,
            action: index % actions,
            got: scores[index],
        }),
    }
}

/// Index of the largest entry; the first of several equal ones.
pub(super) fn first_largest(row: &[f64]) -> usize {
    (0..row.len()).fold(0, |best, index| if row[index] > row[best] { index } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_must_be_distributions() {
        assert_eq!(
            Policy::new(2, 2, vec![0.5, 0.5, 0.5, 0.4]).unwrap_err(),
            TheoryError::PolicySum { state: 1, sum: 0.9 }
        );
        for bad in [f64::NAN, -0.5] {
            let error = Policy::new(1, 2, vec![1.5, bad]).unwrap_err();
            assert!(
                matches!(error, TheoryError::Probability { state: 0, action: 1, .. }),
                "{error}"
            );
        }
        assert!(matches!(Policy::new(2, 2, vec![1.0]), Err(TheoryError::Size { .. })));
    }

    #[test]
    fn greedy_takes_the_first_of_equal_scores() {
        let policy = Policy::greedy(2, 3, &[1.0, 2.0, 2.0, 5.0, 1.0, 5.0]).unwrap();
        assert_eq!(policy, Policy::deterministic(&[1, 0], 3).unwrap());
        let error = Policy::greedy(1, 2, &[0.0, f64::NAN]).unwrap_err();
        assert!(matches!(error, TheoryError::NotFinite { state: 0, action: 1, .. }), "{error}");
        assert!(matches!(Policy::deterministic(&[2], 2), Err(TheoryError::Index { .. })));
    }

    #[test]
    fn logits_of_any_size_give_probabilities() {
        let policy = Policy::from_logits(1, 2, &[1e99, -1e99]).unwrap();
        assert_eq!(policy.table(), [1.0, 0.0]);
        let policy = Policy::from_logits(1, 2, &[3.0_f64.ln(), 0.0]).unwrap();
        assert!((policy.probability(0, 0) - 0.75).abs() < 1e-15);
    }
}
