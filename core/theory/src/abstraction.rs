//! Encoders of a finite MDP: which latent represents which state.
//!
//! Terminal states must be mapped to terminal latents, and no other state may be. The bounds depend
//! on this: both models then have value 0 exactly where episodes end, so no error remains there.

use super::error::TheoryError;
use super::mdp::{Mdp, check_index, check_size};
use super::policy::Policy;

/// A checked encoder phi from states to latents.
#[derive(Clone, Debug, PartialEq)]
pub struct Abstraction {
    /// `[S]`.
    latent_of: Vec<usize>,
    /// `[Z]`.
    terminal: Vec<bool>,
}

impl Abstraction {
    /// An encoder from `phi(s)` of all states, `[S]`, and terminal flags of the latents, `[Z]`.
    /// Latents to which no state is mapped are allowed.
    ///
    /// # Errors
    /// [`TheoryError::TerminalMismatch`] if a state is terminal and its latent is not, or the
    /// reverse; errors of sizes and indices.
    pub fn new(mdp: &Mdp, latent_of: Vec<usize>, terminal: Vec<bool>) -> Result<Self, TheoryError> {
        check_size("the encoder", latent_of.len(), mdp.states())?;
        for (state, latent) in latent_of.iter().copied().enumerate() {
            check_index("the latent of a state", latent, terminal.len())?;
            let (state_terminal, latent_terminal) = (mdp.is_terminal(state), terminal[latent]);
            if state_terminal != latent_terminal {
                return Err(TheoryError::TerminalMismatch {
                    state,
                    latent,
                    state_terminal,
                    latent_terminal,
                });
            }
        }
        Ok(Self { latent_of, terminal })
    }

    /// The encoder in which every state is its own latent.
    #[must_use]
    pub fn identity(mdp: &Mdp) -> Self {
        Self { latent_of: (0..mdp.states()).collect(), terminal: mdp.terminal().to_vec() }
    }

    /// Number of latents, `Z`.
    #[must_use]
    pub const fn latents(&self) -> usize {
        self.terminal.len()
    }

    /// Number of states, `S`.
    #[must_use]
    pub const fn states(&self) -> usize {
        self.latent_of.len()
    }

    /// The latent of a state, `phi(s)`.
    #[must_use]
    pub fn latent(&self, state: usize) -> usize {
        self.latent_of[state]
    }

    /// Terminal flags of the latents, `[Z]`.
    #[must_use]
    pub fn terminal(&self) -> &[bool] {
        &self.terminal
    }

    /// Whether at least one state is mapped to every latent.
    #[must_use]
    pub fn is_surjective(&self) -> bool {
        let mut used = vec![false; self.latents()];
        self.latent_of.iter().for_each(|latent| used[*latent] = true);
        used.into_iter().all(|x| x)
    }

    /// `phi_# P(. | s, a)`, `[Z]`: the distribution of the next latent; zeros at terminal states.
    #[must_use]
    pub fn push_forward(&self, mdp: &Mdp, state: usize, action: usize) -> Vec<f64> {
        let mut image = vec![0.0; self.latents()];
        for (next, p) in mdp.row(state, action) {
            image[self.latent_of[next]] += p;
        }
        image
    }

    /// The policy on states `pibar o phi`, `[S, A]`, of a latent policy `[Z, A]`.
    ///
    /// # Errors
    /// [`TheoryError::Size`] unless the policy has one row for each latent.
    pub fn lift(&self, latent_policy: &Policy) -> Result<Policy, TheoryError> {
        check_size("the latent policy's state list", latent_policy.states(), self.latents())?;
        let table: Vec<f64> =
            self.latent_of.iter().flat_map(|latent| latent_policy.row(*latent)).copied().collect();
        Policy::new(self.states(), latent_policy.actions(), table)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mdp::MdpParts;
    use super::*;

    fn mdp() -> Mdp {
        Mdp::new(MdpParts {
            states: 3,
            actions: 1,
            transitions: vec![vec![(1, 0.5), (2, 0.5)], vec![(2, 1.0)], vec![]],
            rewards: vec![0.0; 3],
            gamma: 0.9,
            start: 0,
            terminal: vec![false, false, true],
        })
        .unwrap()
    }

    #[test]
    fn ends_of_episodes_must_agree() {
        let merged = Abstraction::new(&mdp(), vec![0, 1, 1], vec![false, true]).unwrap_err();
        assert!(
            matches!(
                merged,
                TheoryError::TerminalMismatch { state: 1, latent: 1, state_terminal: false, .. }
            ),
            "{merged}"
        );
        let lost = Abstraction::new(&mdp(), vec![0, 0, 1], vec![false, false]).unwrap_err();
        assert!(matches!(lost, TheoryError::TerminalMismatch { state: 2, .. }), "{lost}");
        assert!(matches!(
            Abstraction::new(&mdp(), vec![0, 0, 5], vec![false, true]),
            Err(TheoryError::Index { got: 5, .. })
        ));
    }

    #[test]
    fn mass_and_policies_follow_the_map() {
        let phi = Abstraction::new(&mdp(), vec![0, 0, 2], vec![false, false, true]).unwrap();
        assert!(!phi.is_surjective() && Abstraction::identity(&mdp()).is_surjective());
        assert_eq!(phi.push_forward(&mdp(), 0, 0), [0.5, 0.0, 0.5]);
        let latent = Policy::uniform(3, 1);
        assert_eq!(phi.lift(&latent).unwrap(), Policy::uniform(3, 1));
        assert!(phi.lift(&Policy::uniform(2, 1)).is_err());
    }
}
