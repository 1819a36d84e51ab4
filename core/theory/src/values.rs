//! Values of a policy, by an exact linear solve.
//!
//! `V = (I - gamma P_pi)^-1 R_pi` with `V = 0` at terminal states. The result has a bound on its
//! own error. A conclusion from values (an improvement, a bound that holds) must allow exactly this
//! slack.

use super::error::TheoryError;
use super::linear::{SparseRows, max_norm, solve_shifted};
use super::mdp::Mdp;
use super::policy::Policy;

/// `V`, `Q` and advantages of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// `V(s)`, `[S]`; 0 at terminal states.
    pub v: Vec<f64>,
    /// `Q(s, a) = R(s, a) + gamma E V(s')`, `[S, A]`; 0 at terminal states.
    pub q: Vec<f64>,
    /// `A(s, a) = Q(s, a) - V(s)`, `[S, A]`; 0 at terminal states.
    pub advantage: Vec<f64>,
    /// `rho(pi, M) = V(start)`: expected discounted return of an episode.
    pub start_return: f64,
    /// Bound on the error of every entry of `v`: the largest residual divided by `1 - gamma`. This
    /// holds because rows of `P_pi` sum to at most 1.
    pub error: f64,
}

/// Values of a policy by one linear solve.
///
/// # Errors
/// [`TheoryError::Size`] if the policy does not fit the MDP; [`TheoryError::Singular`] or
/// [`TheoryError::NotConverged`] if the solve fails.
pub fn evaluate(mdp: &Mdp, policy: &Policy) -> Result<Values, TheoryError> {
    policy.require_fits(mdp)?;
    let (matrix, rewards) = (policy_rows(mdp, policy), policy_rewards(mdp, policy));
    let solution = solve_shifted("the values of a policy", &matrix, mdp.gamma(), &rewards)?;
    let error = max_norm(&solution.residual) / (1.0 - mdp.gamma());
    Ok(Values::from_state_values(mdp, solution.x, error))
}

impl Values {
    /// Values from `v` of `[S]`, whose error is at most `error`.
    pub(super) fn from_state_values(mdp: &Mdp, v: Vec<f64>, error: f64) -> Self {
        let actions = mdp.actions();
        let mut q = vec![0.0; v.len() * actions];
        let mut advantage = q.clone();
        for state in mdp.live_states() {
            for action in 0..actions {
                let index = state * actions + action;
                q[index] =
                    mdp.reward(state, action) + mdp.gamma() * mdp.expectation(state, action, &v);
                advantage[index] = q[index] - v[state];
            }
        }
        Self { start_return: v[mdp.start()], v, q, advantage, error }
    }
}

/// `P_pi`, `[S, S]`: rows and columns of terminal states are empty: episodes end there.
pub(super) fn policy_rows(mdp: &Mdp, policy: &Policy) -> SparseRows {
    let mut rows = SparseRows::new();
    // The columns of one row; equal columns are added up before they are stored.
    let mut sums = vec![0.0; mdp.states()];
    let mut touched = Vec::new();
    for state in 0..mdp.states() {
        for (action, chosen) in policy.row(state).iter().enumerate() {
            if *chosen == 0.0 {
                continue;
            }
            for (next, p) in mdp.row(state, action).filter(|(next, _)| !mdp.is_terminal(*next)) {
                if sums[next] == 0.0 {
                    touched.push(next);
                }
                sums[next] += chosen * p;
            }
        }
        // A product of tiny probabilities may be 0; its column can then be listed twice.
        touched.sort_unstable();
        touched.dedup();
        rows.push(touched.drain(..).map(|next| (next, std::mem::take(&mut sums[next]))));
    }
    rows
}

/// `R_pi(s) = sum_a pi(a|s) R(s, a)`, `[S]`.
pub(super) fn policy_rewards(mdp: &Mdp, policy: &Policy) -> Vec<f64> {
    (0..mdp.states())
        .map(|state| {
            let row = policy.row(state).iter().enumerate();
            row.map(|(action, chosen)| chosen * mdp.reward(state, action)).sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::mdp::MdpParts;
    use super::*;

    /// State 0 stays with probability 1/2 (action 0) or ends at once (action 1).
    fn coin() -> Mdp {
        Mdp::new(MdpParts {
            states: 2,
            actions: 2,
            transitions: vec![vec![(0, 0.5), (1, 0.5)], vec![(1, 1.0)], vec![], vec![]],
            rewards: vec![1.0, 3.0, 0.0, 0.0],
            gamma: 0.8,
            start: 0,
            terminal: vec![false, true],
        })
        .unwrap()
    }

    #[test]
    fn values_by_hand() {
        let values = evaluate(&coin(), &Policy::uniform(2, 2)).unwrap();
        // V = 1/2 (1 + 0.8 V / 2) + 1/2 * 3  =>  V = 2 / 0.8.
        assert!((values.start_return - 2.5).abs() < 1e-14, "{values:?}");
        assert_eq!(values.v[1], 0.0, "a terminal state has value 0");
        assert!((values.q[0] - 2.0).abs() < 1e-14 && (values.q[1] - 3.0).abs() < 1e-14);
        assert!((values.advantage[0] + 0.5).abs() < 1e-14 && values.error < 1e-13);
    }

    #[test]
    fn a_policy_of_another_size_is_refused() {
        let error = evaluate(&coin(), &Policy::uniform(3, 2)).unwrap_err();
        assert!(matches!(error, TheoryError::Size { got: 3, expected: 2, .. }), "{error}");
    }
}
