//! Theorems 2, 3 and 4 for an agent of the maze, as plain numbers.

use deepspi_theory::{Premise, Ratios, TheoremFour, TheoremThree, TheoremTwo};
use serde::{Deserialize, Serialize};

/// The theorems' statements about an agent and its last iteration.
///
/// pi_b is the policy before the iteration, pi the policy after it, V the exact value of pi.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Discount gamma.
    pub gamma: f64,
    /// Ratios of pi to pi_b over all states that are not terminal, visited or not: `sup` is SIR.
    pub ratios: Ratios,
    /// `1 / gamma`, which SIR must stay below.
    pub limit: f64,
    /// AEL(pi_b); none if its episodes may not end.
    pub average_episode_length: Option<f64>,
    /// `rho(pi_b, M)`.
    pub return_before: f64,
    /// `rho(pi, M)`.
    pub return_after: f64,
    /// Number of distinct latents of the maze's states.
    pub latents: usize,
    /// Mean distance, over the steps of pi_b, by which samples of the network's next latent were
    /// moved to a latent of the maze: L_P of the finite model differs by at most this from the L_P
    /// of the samples. None without a finite model.
    pub moved: Option<f64>,
    /// Theorem 2: return in the maze compared with return in the world model.
    pub theorem_two: Judged<TheoremTwo>,
    /// Theorem 3: improvement in the maze compared with improvement in the world model.
    pub theorem_three: Judged<TheoremThree>,
    /// Theorem 4: states of different value have different latents.
    pub theorem_four: Judged<TheoremFour>,
    /// The two stars, upper and lower, as a pair of Theorem 4.
    pub stars: ValuePair,
    /// All pairs of different states that are not terminal.
    pub pairs: Vec<ValuePair>,
}

/// The numbers of a theorem, and the premises that fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged<T> {
    /// The numbers; those that a failed premise makes meaningless are none. None as a whole if they
    /// cannot be computed.
    pub numbers: Option<T>,
    /// Every premise that fails; the theorem applies if the list is empty.
    pub failed: Vec<FailedPremise>,
}

/// Two states, compared as in Theorem 4.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValuePair {
    /// The states.
    pub states: [usize; 2],
    /// Probability of this pair, in either order, for two independent samples from xi_b; none if
    /// xi_b does not exist.
    pub probability: Option<f64>,
    /// `|V(s1) - V(s2)|`.
    pub value_gap: f64,
    /// `d(phi(s1), phi(s2))`, Euclidean.
    pub distance: f64,
}

impl ValuePair {
    /// Largest value gap that Theorem 4 allows, `K_V d + epsilon`.
    #[must_use]
    pub fn allowed(&self, k_v: f64, epsilon: f64) -> f64 {
        k_v * self.distance + epsilon
    }
}

/// Why a theorem does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum FailedPremise {
    /// The agent has no world model: PPO, or both coefficients 0.
    NoWorldModel,
    /// phi gives the same latent to a state that ends the episode and to one that does not.
    EndMerged {
        /// The state that ends the episode.
        terminal: usize,
        /// The state that does not.
        live: usize,
    },
    /// Episodes of pi_b may not end, or are too long for f64: AEL does not exist.
    EndlessEpisodes,
    /// pi_b differs between two states with the same latent, so it is not a policy on latents. Only
    /// Theorem 3 requires that.
    OldPolicyNotLatent {
        /// The two states.
        states: [usize; 2],
        /// Largest difference of a probability.
        difference: f64,
    },
    /// A failed premise about the size of the step or the smoothness of the model.
    Theorem(Premise),
}

impl std::fmt::Display for FailedPremise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoWorldModel => write!(f, "the agent has no world model"),
            Self::EndMerged { terminal, live } => write!(
                f,
                "state {terminal} ends the episode and state {live} does not, but they have the \
                 same latent"
            ),
            Self::EndlessEpisodes => {
                write!(f, "episodes of the old policy need not end, or last too long to compute")
            }
            Self::OldPolicyNotLatent { states: [first, second], difference } => write!(
                f,
                "states {first} and {second} have the same latent now, but the old policy differs \
                 there by {difference:.2e}"
            ),
            Self::Theorem(premise) => premise.fmt(f),
        }
    }
}
