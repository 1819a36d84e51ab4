//! Finite Markov decision processes whose episodes end in terminal states.
//!
//! All other modules build on a checked [`Mdp`]: its rows are distributions up to rounding, its
//! columns are in range and sorted, and gamma is below 1. No code may change an [`Mdp`] without
//! these checks.

use super::error::TheoryError;
use super::linear::SparseRows;

/// How far the sum of a distribution in the input may be from 1.
pub(super) const SUM_TOLERANCE: f64 = 1e-9;
/// Largest accepted reward: values and bounds of larger ones could overflow.
const LARGEST_REWARD: f64 = 1e100;

/// The plain numbers of an MDP, before they are checked.
#[derive(Clone, Debug, PartialEq)]
pub struct MdpParts {
    /// `S`.
    pub states: usize,
    /// `A`.
    pub actions: usize,
    /// `[S * A]` rows of `(next state, probability)`. Rows of terminal states are ignored and may
    /// be empty.
    pub transitions: Vec<Vec<(usize, f64)>>,
    /// `[S, A]` expected rewards of a step, the last step of an episode included. Those of terminal
    /// states are ignored.
    pub rewards: Vec<f64>,
    /// Discount, in `[0, 1)`.
    pub gamma: f64,
    /// Where every episode starts.
    pub start: usize,
    /// `[S]` flags of the states that end the episode when they are entered; their value is 0.
    pub terminal: Vec<bool>,
}

/// A checked MDP.
#[derive(Clone, Debug, PartialEq)]
pub struct Mdp {
    states: usize,
    actions: usize,
    /// `[S * A]` rows; empty for terminal states.
    transitions: SparseRows,
    rewards: Vec<f64>,
    gamma: f64,
    start: usize,
    terminal: Vec<bool>,
}

impl Mdp {
    /// Checks the parts. Entries for the same next state are added up, zeros are removed, and each
    /// row is divided by its sum, which must be within 1e-9 of 1.
    ///
    /// # Errors
    /// [`TheoryError`] with the first wrong element: sizes, indices, probabilities that are
    /// negative or not finite, sums, rewards, gamma outside `[0, 1)`, a terminal start state.
    pub fn new(parts: MdpParts) -> Result<Self, TheoryError> {
        let MdpParts { states, actions, .. } = parts;
        check_index("the first action", 0, actions)?;
        check_size("transitions", parts.transitions.len(), states * actions)?;
        check_size("rewards", parts.rewards.len(), states * actions)?;
        check_size("terminal flags", parts.terminal.len(), states)?;
        let mut transitions = SparseRows::new();
        let mut rewards = vec![0.0; states * actions];
        for state in 0..states {
            for action in 0..actions {
                let index = state * actions + action;
                if parts.terminal[state] {
                    transitions.push([]);
                    continue;
                }
                let got = parts.rewards[index];
                if got.is_nan() || got.abs() > LARGEST_REWARD {
                    return Err(TheoryError::NotFinite { what: "the reward", state, action, got });
                }
                rewards[index] = got;
                transitions.push(checked_row(&parts.transitions[index], states, (state, action))?);
            }
        }
        let mdp = Self {
            states,
            actions,
            transitions,
            rewards,
            gamma: parts.gamma,
            start: 0,
            terminal: parts.terminal,
        };
        mdp.with_gamma(parts.gamma)?.with_start(parts.start)
    }

    /// An MDP from a dense `[S, A, S]` table of probabilities; the other arguments as in
    /// [`MdpParts`].
    ///
    /// # Errors
    /// As [`Mdp::new`].
    pub fn from_dense(
        probabilities: &[f64],
        rewards: Vec<f64>,
        actions: usize,
        gamma: f64,
        start: usize,
        terminal: Vec<bool>,
    ) -> Result<Self, TheoryError> {
        let states = terminal.len();
        check_size("the probability table", probabilities.len(), states * actions * states)?;
        let transitions = probabilities
            .chunks(states.max(1))
            .map(|row| row.iter().copied().enumerate().filter(|(_, p)| *p != 0.0).collect())
            .collect();
        Self::new(MdpParts { states, actions, transitions, rewards, gamma, start, terminal })
    }

    /// The same MDP with another discount.
    ///
    /// # Errors
    /// [`TheoryError::Range`] unless gamma is in `[0, 1)`.
    pub fn with_gamma(mut self, gamma: f64) -> Result<Self, TheoryError> {
        if !(0.0..1.0).contains(&gamma) {
            return Err(TheoryError::Range {
                what: "gamma",
                got: gamma,
                allowed: "[0, 1)",
                remedy: "use 0.99, for example; without discount, values can be infinite",
            });
        }
        self.gamma = gamma;
        Ok(self)
    }

    /// The same MDP with another start state.
    ///
    /// # Errors
    /// [`TheoryError::Index`] if there is no such state, [`TheoryError::TerminalStart`] if it is
    /// terminal.
    pub fn with_start(mut self, start: usize) -> Result<Self, TheoryError> {
        check_index("the start state", start, self.states)?;
        if self.terminal[start] {
            return Err(TheoryError::TerminalStart { state: start });
        }
        self.start = start;
        Ok(self)
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

    /// Discount, in `[0, 1)`.
    #[must_use]
    pub const fn gamma(&self) -> f64 {
        self.gamma
    }

    /// The start state of every episode.
    #[must_use]
    pub const fn start(&self) -> usize {
        self.start
    }

    /// Whether a state ends the episode.
    #[must_use]
    pub fn is_terminal(&self, state: usize) -> bool {
        self.terminal[state]
    }

    /// `[S]` terminal flags.
    #[must_use]
    pub fn terminal(&self) -> &[bool] {
        &self.terminal
    }

    /// States that do not end the episode, in order.
    pub fn live_states(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.states).filter(|state| !self.terminal[*state])
    }

    /// `[S, A]` expected rewards; 0 at terminal states.
    #[must_use]
    pub fn rewards(&self) -> &[f64] {
        &self.rewards
    }

    /// `R(s, a)`; 0 at terminal states.
    #[must_use]
    pub fn reward(&self, state: usize, action: usize) -> f64 {
        self.rewards[state * self.actions + action]
    }

    /// `P(. | s, a)` as `(next state, probability)`, sorted by state, each state once and with a
    /// positive probability; empty at terminal states.
    pub fn row(&self, state: usize, action: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.transitions.row(state * self.actions + action)
    }

    /// `sum_s' P(s' | s, a) x(s')` for `x` of `[S]`; 0 at terminal states.
    pub(super) fn expectation(&self, state: usize, action: usize, x: &[f64]) -> f64 {
        self.transitions.dot(state * self.actions + action, x)
    }
}

/// One row: checked, merged, sorted, without zeros, divided by its sum.
fn checked_row(
    row: &[(usize, f64)],
    states: usize,
    (state, action): (usize, usize),
) -> Result<Vec<(usize, f64)>, TheoryError> {
    for (next, got) in row.iter().copied() {
        check_index("a next state", next, states)?;
        if !(got.is_finite() && got >= 0.0) {
            return Err(TheoryError::Probability { what: "a next state", state, action, got });
        }
    }
    let sum: f64 = row.iter().map(|(_, p)| p).sum();
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(TheoryError::TransitionSum { state, action, sum });
    }
    let mut sorted: Vec<(usize, f64)> =
        row.iter().filter(|(_, p)| *p > 0.0).map(|(next, p)| (*next, p / sum)).collect();
    sorted.sort_by_key(|(next, _)| *next);
    sorted.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 += later.1;
        }
        same
    });
    Ok(sorted)
}

pub(super) const fn check_size(
    what: &'static str,
    got: usize,
    expected: usize,
) -> Result<(), TheoryError> {
    if got == expected { Ok(()) } else { Err(TheoryError::Size { what, got, expected }) }
}

pub(super) const fn check_index(
    what: &'static str,
    got: usize,
    limit: usize,
) -> Result<(), TheoryError> {
    if got < limit { Ok(()) } else { Err(TheoryError::Index { what, got, limit }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> MdpParts {
        MdpParts {
            states: 2,
            actions: 2,
            transitions: vec![vec![(0, 0.25), (1, 0.5), (0, 0.25)], vec![(1, 1.0)], vec![], vec![]],
            rewards: vec![1.0, 2.0, f64::NAN, 0.0],
            gamma: 0.9,
            start: 0,
            terminal: vec![false, true],
        }
    }

    fn error(change: impl FnOnce(&mut MdpParts)) -> TheoryError {
        let mut parts = parts();
        change(&mut parts);
        Mdp::new(parts).unwrap_err()
    }

    #[test]
    fn duplicates_are_merged_and_terminal_rows_ignored() {
        let mdp = Mdp::new(parts()).unwrap();
        assert_eq!(mdp.row(0, 0).collect::<Vec<_>>(), [(0, 0.5), (1, 0.5)]);
        assert_eq!(mdp.reward(1, 0), 0.0, "the NaN at the terminal state was never read");
        assert_eq!(mdp.row(1, 1).count(), 0);
    }

    #[test]
    fn dense_and_sparse_input_give_the_same() {
        let dense = [0.5, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        let rewards = vec![1.0, 2.0, 0.0, 0.0];
        let mdp = Mdp::from_dense(&dense, rewards, 2, 0.9, 0, vec![false, true]).unwrap();
        assert_eq!(mdp, Mdp::new(parts()).unwrap());
    }

    #[test]
    fn each_fault_is_named_with_its_place() {
        assert_eq!(
            error(|p| p.transitions[1] = vec![(1, 0.9)]),
            TheoryError::TransitionSum { state: 0, action: 1, sum: 0.9 }
        );
        for bad in [-0.5, f64::NAN, f64::INFINITY] {
            let error = error(|p| p.transitions[1] = vec![(1, bad), (0, 1.0)]);
            assert!(
                matches!(error, TheoryError::Probability { state: 0, action: 1, .. }),
                "{error}"
            );
        }
        assert!(matches!(
            error(|p| p.transitions[0] = vec![(2, 1.0)]),
            TheoryError::Index { got: 2, limit: 2, .. }
        ));
        assert!(matches!(
            error(|p| p.rewards[1] = f64::NAN),
            TheoryError::NotFinite { state: 0, action: 1, .. }
        ));
        for gamma in [-0.1, 1.0, 1.5, f64::NAN] {
            let error = error(|p| p.gamma = gamma);
            assert!(matches!(error, TheoryError::Range { what: "gamma", .. }), "{error}");
        }
        assert_eq!(error(|p| p.start = 1), TheoryError::TerminalStart { state: 1 });
        assert!(matches!(error(|p| p.start = 7), TheoryError::Index { got: 7, .. }));
        assert!(matches!(error(|p| p.actions = 0), TheoryError::Index { limit: 0, .. }));
        assert!(matches!(error(|p| p.states = 3), TheoryError::Size { got: 4, expected: 6, .. }));
        assert!(matches!(
            error(|p| p.rewards.truncate(1)),
            TheoryError::Size { what: "rewards", .. }
        ));
    }
}
