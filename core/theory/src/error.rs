//! The errors of the theory.
//!
//! Each message must name the element, its value, what is allowed and what to do, because users who
//! enter their own MDP read these messages.

use serde::{Deserialize, Serialize};

/// How a policy leaves the neighbourhood `N^C` of another one (Eq. 2), and where.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Violation {
    /// `pi'(a|s) / pi(a|s)` is above `C`.
    RatioAbove {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
        /// The ratio.
        ratio: f64,
        /// The limit, `C`.
        limit: f64,
        /// `ratio - limit`, positive.
        excess: f64,
    },
    /// `pi'(a|s) / pi(a|s)` is below `2 - C`, but not 0.
    RatioBelow {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
        /// The ratio.
        ratio: f64,
        /// The limit, `2 - C`.
        limit: f64,
        /// `limit - ratio`, positive.
        excess: f64,
    },
    /// An action the old policy never takes has positive probability.
    SupportGained {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
        /// Its new probability.
        probability: f64,
    },
    /// An action the old policy may take has probability 0.
    SupportLost {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
        /// Its old probability.
        probability: f64,
    },
}

impl Violation {
    /// The state and action at which the policy leaves the neighbourhood.
    #[must_use]
    pub const fn place(&self) -> (usize, usize) {
        match *self {
            Self::RatioAbove { state, action, .. }
            | Self::RatioBelow { state, action, .. }
            | Self::SupportGained { state, action, .. }
            | Self::SupportLost { state, action, .. } => (state, action),
        }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (state, action) = self.place();
        write!(f, "state {state}, action {action}: ")?;
        match self {
            Self::RatioAbove { ratio, limit, excess, .. } => {
                write!(f, "ratio {ratio} is above C = {limit} by {excess}")
            }
            Self::RatioBelow { ratio, limit, excess, .. } => {
                write!(f, "ratio {ratio} is below 2 - C = {limit} by {excess}")
            }
            Self::SupportGained { probability, .. } => {
                write!(f, "probability rose from 0 to {probability}; the support must stay")
            }
            Self::SupportLost { probability, .. } => {
                write!(f, "probability fell from {probability} to 0; the support must stay")
            }
        }
    }
}

/// Why a computation of the theory has no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TheoryError {
    /// A table has the wrong number of entries.
    #[error("{what} has {got} entries, expected {expected}: give one for each element, in order")]
    Size {
        /// Which table.
        what: &'static str,
        /// Its number of entries.
        got: usize,
        /// The number of entries it needs.
        expected: usize,
    },
    /// A state, action or latent that does not exist.
    #[error("{what} is {got}, but there are {limit} in all: count from 0, and have at least one")]
    Index {
        /// What is indexed.
        what: &'static str,
        /// The index.
        got: usize,
        /// The number of elements.
        limit: usize,
    },
    /// A parameter outside its range.
    #[error("{what} is {got}, allowed is {allowed}: {remedy}")]
    Range {
        /// Which parameter.
        what: &'static str,
        /// Its value.
        got: f64,
        /// The range in words.
        allowed: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A number of an `[S, A]` table is NaN, infinite or too large.
    #[error(
        "{what} of state {state}, action {action} is {got}: it must be a number of at most 1e100 \
         in size; scale it down"
    )]
    NotFinite {
        /// Which table.
        what: &'static str,
        /// The state.
        state: usize,
        /// The action.
        action: usize,
        /// The value.
        got: f64,
    },
    /// A probability is negative, NaN or infinite.
    #[error(
        "{what} of state {state}, action {action} has the probability {got}: it must be in [0, 1]"
    )]
    Probability {
        /// Which table.
        what: &'static str,
        /// The state.
        state: usize,
        /// The action; for a transition the action taken.
        action: usize,
        /// The value.
        got: f64,
    },
    /// The next-state probabilities of a state and action do not sum to 1.
    #[error(
        "the next-state probabilities of state {state}, action {action} sum to {sum}: they must \
         sum to 1 within 1e-9; if the state ends the episode, mark it terminal"
    )]
    TransitionSum {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
        /// Their sum.
        sum: f64,
    },
    /// The action probabilities of a state do not sum to 1.
    #[error(
        "the action probabilities of state {state} sum to {sum}: they must sum to 1 within 1e-9; \
         divide them by their sum"
    )]
    PolicySum {
        /// The state.
        state: usize,
        /// Their sum.
        sum: f64,
    },
    /// A finite distribution does not sum to 1.
    #[error(
        "the {which} distribution sums to {sum} or has a negative entry: entries must be at least \
         0 and sum to 1 within 1e-9"
    )]
    Distribution {
        /// Which of the two distributions.
        which: &'static str,
        /// Its sum.
        sum: f64,
    },
    /// An action has probability 0 in a policy that needs full support.
    #[error(
        "state {state} gives action {action} probability 0: Theorem 1 needs every action possible \
         at the start; mix the policy with a uniform one"
    )]
    ZeroSupport {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
    },
    /// The start state ends the episode.
    #[error("the start state {state} is terminal: choose a start from which a step can be taken")]
    TerminalStart {
        /// The state.
        state: usize,
    },
    /// The policy can reach a state from which it never reaches the end of the episode.
    #[error(
        "state {state} is reached from the start, but no terminal state is reached from it, so the \
         average episode length is infinite: add a terminal state, or give every action there a \
         positive probability"
    )]
    UnreachableTerminal {
        /// The state.
        state: usize,
    },
    /// A linear system has no solution that f64 can represent accurately.
    #[error(
        "the linear system for {what} ({size} states) is singular to f64: its residual {residual} \
         is above {allowed}; leave the episode or the region with a larger probability, or lower \
         gamma"
    )]
    Singular {
        /// The quantity to be computed.
        what: &'static str,
        /// Number of unknowns.
        size: usize,
        /// Scaled residual that was reached; infinite if the solver failed.
        residual: f64,
        /// Largest scaled residual accepted.
        allowed: f64,
    },
    /// An iteration did not converge in its allowed number of steps.
    #[error("{what} did not converge in {iterations} iterations: lower gamma or the states")]
    NotConverged {
        /// Which iteration.
        what: &'static str,
        /// The allowed number of steps.
        iterations: usize,
    },
    /// A policy is outside the neighbourhood `N^C` of another one.
    #[error("outside the neighbourhood N^C: {0}; take a smaller step")]
    OutsideNeighbourhood(Violation),
    /// A table of distances is not a metric.
    #[error("the distance of {first} and {second} is {got}: {allowed}")]
    Metric {
        /// First element.
        first: usize,
        /// Second element.
        second: usize,
        /// The distance.
        got: f64,
        /// The condition of a metric that is violated.
        allowed: &'static str,
    },
    /// The linear programme of a Wasserstein distance failed.
    #[error(
        "the transport problem between {size} points was not solved: {reason}; keep distances \
         within six orders of magnitude"
    )]
    Transport {
        /// Number of points of the metric space.
        size: usize,
        /// The solver's message.
        reason: String,
    },
    /// Encoder and terminal flags contradict each other.
    #[error(
        "state {state} (terminal: {state_terminal}) is mapped to latent {latent} (terminal: \
         {latent_terminal}): terminal states must share latents with terminal states only"
    )]
    TerminalMismatch {
        /// The state.
        state: usize,
        /// Its latent.
        latent: usize,
        /// Flag of the state.
        state_terminal: bool,
        /// Flag of the latent.
        latent_terminal: bool,
    },
    /// A latent model does not fit its MDP.
    #[error("the latent model has {what} {got}, the MDP needs {expected}: build both alike")]
    ModelMismatch {
        /// Which property differs.
        what: &'static str,
        /// Its value in the model.
        got: f64,
        /// Its value in the MDP.
        expected: f64,
    },
    /// Counting found no data for a pair of latent and action.
    #[error(
        "the behaviour policy never takes action {action} in latent {latent}, so the model has no \
         data: use a behaviour with full support, or `Unvisited::Absorb`"
    )]
    NoData {
        /// The latent.
        latent: usize,
        /// The action.
        action: usize,
    },
}
