//! The Markov chain of consecutive episodes, and its stationary distribution.
//!
//! The theorems weight model errors by `xi_pi`, the share of steps that a policy spends in each
//! state when each episode is followed by another one. Convention: the step that enters a terminal
//! state also puts the process back at the start, so a reset takes no step of its own, and `xi_pi`
//! is a distribution over states that are not terminal. If the reset were a step of its own, every
//! AEL would be larger by 1, `xi` of every state would shrink by `AEL / (AEL + 1)`, and the rest
//! would be on the reset state. The bounds use the product `AEL * xi`, the expected visits in an
//! episode, which is the same under both conventions.

use super::error::TheoryError;
use super::linear::{SparseRows, max_norm, solve_shifted};
use super::mdp::Mdp;
use super::policy::Policy;
use super::values::policy_rows;

/// Largest relative error of an episode length that is accepted as solved.
const RELATIVE_ERROR: f64 = 1e-6;

/// Statistics of the episodes of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// `AEL(pi)`: expected steps from the start until a terminal state is entered; at least 1.
    pub ael: f64,
    /// Expected steps from a state until the episode ends, `[S]`; 0 at terminal states and at
    /// states the policy never reaches from the start.
    pub steps_to_end: Vec<f64>,
    /// Expected visits of a state in one episode, `[S]`; sums to `ael`.
    pub visits: Vec<f64>,
    /// `xi_pi = visits / ael`, `[S]`; sums to 1.
    pub stationary: Vec<f64>,
    /// Bound on the relative error of `ael`.
    pub relative_error: f64,
}

/// Solves the chain of episodes of a policy.
///
/// # Errors
/// [`TheoryError::UnreachableTerminal`] if an episode may never end; [`TheoryError::Singular`] if
/// episodes are too long for f64 (from about 1e9 steps on); the errors of a linear solve.
pub fn episodic_chain(mdp: &Mdp, policy: &Policy) -> Result<Chain, TheoryError> {
    policy.require_fits(mdp)?;
    let reached = reached_states(mdp, policy);
    require_end(mdp, policy, &reached)?;
    let states = mdp.states();
    let whole = policy_rows(mdp, policy);
    let mut matrix = SparseRows::new();
    for (state, keep) in reached.iter().enumerate() {
        matrix.push(whole.row(state).filter(|_| *keep));
    }
    let live: Vec<f64> = (0..states)
        .map(|state| f64::from(u8::from(reached[state] && !mdp.is_terminal(state))))
        .collect();
    let forward = solve_shifted("the episode lengths", &matrix, 1.0, &live)?;
    // The length h solves M h = 1, so an error M^-1 r is at most |r| h. Hence |r| bounds the
    // relative error in every state.
    let relative = max_norm(&forward.residual);
    let longest = max_norm(&forward.x);
    require_resolved("the episode lengths", states, relative)?;

    let mut start = vec![0.0; states];
    start[mdp.start()] = 1.0;
    let backward = solve_shifted("the visits of an episode", &matrix.transpose(), 1.0, &start)?;
    let visits: Vec<f64> = backward.x.iter().map(|x| x.max(0.0)).collect();
    let ael: f64 = visits.iter().sum();
    // The columns of M^-1 sum to episode lengths, so |error|_1 <= longest * |r|_1.
    let total: f64 = backward.residual.iter().map(|r| r.abs()).sum();
    let relative_error = (longest * total / ael).max(relative);
    require_resolved("the visits of an episode", states, relative_error)?;
    let stationary = visits.iter().map(|x| x / ael).collect();
    Ok(Chain { ael, steps_to_end: forward.x, visits, stationary, relative_error })
}

/// `sum_t gamma^t P(s_t = s)` over one episode, `[S]`. It is not normalised, so that
/// `rho = sum_s occupancy(s) R_pi(s)`; 0 at terminal states. Episodes need not end.
///
/// # Errors
/// Errors of sizes and of a linear solve.
pub fn discounted_occupancy(mdp: &Mdp, policy: &Policy) -> Result<Vec<f64>, TheoryError> {
    policy.require_fits(mdp)?;
    let mut start = vec![0.0; mdp.states()];
    start[mdp.start()] = 1.0;
    let matrix = policy_rows(mdp, policy).transpose();
    let solution = solve_shifted("the discounted occupancy", &matrix, mdp.gamma(), &start)?;
    Ok(solution.x.iter().map(|x| x.max(0.0)).collect())
}

fn require_resolved(what: &'static str, size: usize, error: f64) -> Result<(), TheoryError> {
    if error <= RELATIVE_ERROR {
        Ok(())
    } else {
        Err(TheoryError::Singular { what, size, residual: error, allowed: RELATIVE_ERROR })
    }
}

/// States that a policy can reach from the start, terminal ones included, `[S]`.
fn reached_states(mdp: &Mdp, policy: &Policy) -> Vec<bool> {
    let mut reached = vec![false; mdp.states()];
    reached[mdp.start()] = true;
    let mut open = vec![mdp.start()];
    while let Some(state) = open.pop() {
        for next in successors(mdp, policy, state) {
            if !reached[next] {
                reached[next] = true;
                open.push(next);
            }
        }
    }
    reached
}

/// Refuses a policy that can reach a state from which it never reaches a terminal state.
fn require_end(mdp: &Mdp, policy: &Policy, reached: &[bool]) -> Result<(), TheoryError> {
    let mut predecessors = vec![Vec::new(); mdp.states()];
    for state in 0..mdp.states() {
        for next in successors(mdp, policy, state) {
            predecessors[next].push(state);
        }
    }
    let mut ends = mdp.terminal().to_vec();
    let mut open: Vec<usize> = (0..mdp.states()).filter(|state| ends[*state]).collect();
    while let Some(state) = open.pop() {
        for before in &predecessors[state] {
            if !ends[*before] {
                ends[*before] = true;
                open.push(*before);
            }
        }
    }
    match (0..mdp.states()).find(|state| reached[*state] && !ends[*state]) {
        None => Ok(()),
        Some(state) => Err(TheoryError::UnreachableTerminal { state }),
    }
}

fn successors<'a>(
    mdp: &'a Mdp,
    policy: &'a Policy,
    state: usize,
) -> impl Iterator<Item = usize> + 'a {
    let chosen = policy.row(state).iter().enumerate().filter(|(_, p)| **p > 0.0);
    chosen.flat_map(move |(action, _)| mdp.row(state, action).map(|(next, _)| next))
}

#[cfg(test)]
mod tests {
    use super::super::mdp::MdpParts;
    use super::*;

    /// State 0 goes to 1; state 1 leaves to the terminal state 2 with probability `leave`.
    fn loop_until(leave: f64, terminal: bool) -> Mdp {
        Mdp::new(MdpParts {
            states: 3,
            actions: 1,
            transitions: vec![vec![(1, 1.0)], vec![(1, 1.0 - leave), (2, leave)], vec![(2, 1.0)]],
            rewards: vec![0.0; 3],
            gamma: 0.9,
            start: 0,
            terminal: vec![false, false, terminal],
        })
        .unwrap()
    }

    #[test]
    fn lengths_and_shares_by_hand() {
        let policy = Policy::uniform(3, 1);
        let chain = episodic_chain(&loop_until(0.25, true), &policy).unwrap();
        assert!((chain.ael - 5.0).abs() < 1e-13, "one step to state 1, then 4 on average");
        assert!((chain.stationary[0] - 0.2).abs() < 1e-14 && chain.stationary[2] == 0.0);
        assert!((chain.steps_to_end[1] - 4.0).abs() < 1e-13 && chain.relative_error < 1e-12);
        let occupancy = discounted_occupancy(&loop_until(0.25, true), &policy).unwrap();
        assert!((occupancy[1] - 0.9 / (1.0 - 0.9 * 0.75)).abs() < 1e-13);
    }

    #[test]
    fn an_episode_without_end_names_the_state() {
        let policy = Policy::uniform(3, 1);
        for (mdp, state) in [(loop_until(0.0, true), 0), (loop_until(0.25, false), 0)] {
            let error = episodic_chain(&mdp, &policy).unwrap_err();
            assert!(
                matches!(error, TheoryError::UnreachableTerminal { state: s } if s == state),
                "{error}"
            );
        }
    }

    #[test]
    fn an_episode_too_long_for_f64_is_an_error_and_a_very_long_one_is_not() {
        let policy = Policy::uniform(3, 1);
        // 1 - 1e-17 is 1 in f64: the system for the length is exactly singular.
        let error = episodic_chain(&loop_until(1e-17, true), &policy).unwrap_err();
        assert!(matches!(error, TheoryError::Singular { .. }), "{error}");
        let chain = episodic_chain(&loop_until(1e-7, true), &policy).unwrap();
        assert!((chain.ael / (1.0 + 1e7) - 1.0).abs() < 1e-8, "{}", chain.ael);
    }
}
