//! The terms of Theorem 3 that a certified run estimates for each of its iterations.
//!
//! The ratios are exact over the batch's states, because updates that leave `N^C` are shortened or
//! undone ([`Projection`]). The losses and the episode length are means over the batch, not
//! expectations. With continuous latents `K_R = K_P = 1` is the constant of the world model's networks for
//! each action; that the *policy* does not increase distances is assumed, not known (docs/deepspi.md,
//! D27). With categorical latents and the discrete distance, `K_R = 2 R_max` and `K_P = 1` hold for every
//! policy; `R_max` is the largest reward that the model predicts in the batch. The
//! theorem uses one encoder for both policies; here an update changes the encoder, too. So zeta is
//! an estimate of the bound and not a proof, and must not be reported as one.

use serde::{Deserialize, Serialize};

/// How the updates of an iteration were kept inside `N^C`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Projection {
    /// Updates that stayed inside unchanged.
    pub whole: u32,
    /// Updates that were shortened.
    pub shortened: u32,
    /// Updates that were dropped.
    pub rejected: u32,
}

impl Projection {
    /// Share of updates that were applied unchanged; 1 before the first update.
    #[must_use]
    pub fn share_whole(&self) -> f64 {
        let all = self.whole + self.shortened + self.rejected;
        if all == 0 { 1.0 } else { f64::from(self.whole) / f64::from(all) }
    }
}

/// The estimated bound of Theorem 3 for one iteration, with every term.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Average episode length of the behaviour policy: steps divided by ends of episodes in the
    /// batch. None if no episode ended.
    pub average_episode_length: Option<f64>,
    /// `L_R`, mean absolute reward error of the updated model over the batch.
    pub reward_loss: f64,
    /// An upper bound of `L_P`: mean Euclidean distance of one sample to the next latent; with categorical
    /// latents the mean probability that a sample is another latent.
    pub transition_loss: f64,
    /// `K_V = K_R / (1 - gamma K_P)`, with `K_P = 1`.
    pub value_lipschitz: f64,
    /// `D_IR^sup` of the updated policy over the batch's states.
    pub importance_ratio_sup: f64,
    /// Right-hand side `zeta`; none if no episode ended or the premise fails.
    pub zeta: Option<f64>,
    /// How the updates were kept inside `N^C`.
    pub projection: Projection,
}

/// The terms of the bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Discount factor.
    pub gamma: f64,
    /// See [`Certificate::average_episode_length`].
    pub average_episode_length: Option<f64>,
    /// `L_R`.
    pub reward_loss: f64,
    /// `L_P`.
    pub transition_loss: f64,
    /// `K_R`.
    pub reward_lipschitz: f64,
    /// `SIR`.
    pub importance_ratio_sup: f64,
}

impl Certificate {
    /// Computes `zeta = AEL (L_R / gamma + K_V L_P) (1 / (1/SIR - gamma) + 1 / (1 - gamma))`.
    #[must_use]
    pub fn new(terms: Terms, projection: Projection) -> Self {
        let Terms {
            gamma,
            average_episode_length,
            reward_loss,
            transition_loss,
            reward_lipschitz,
            importance_ratio_sup,
        } = terms;
        let value_lipschitz = reward_lipschitz / (1.0 - gamma);
        let margin = 1.0 / importance_ratio_sup - gamma;
        let error = reward_loss / gamma + value_lipschitz * transition_loss;
        let zeta = average_episode_length
            .filter(|_| margin > 0.0)
            .map(|length| length * error * (1.0 / margin + 1.0 / (1.0 - gamma)))
            .filter(|zeta| zeta.is_finite());
        Self {
            average_episode_length,
            reward_loss,
            transition_loss,
            value_lipschitz,
            importance_ratio_sup,
            zeta,
            projection,
        }
    }
}

/// Average episode length from done flags `[T + 1, N]` (before each step; the last row after the
/// last step): real steps divided by ends of episodes. Steps after an end only return the new start
/// and are not counted.
#[must_use]
pub fn average_episode_length(dones: &[bool], num_envs: usize) -> Option<f64> {
    let steps = dones.len() - num_envs;
    let fake = dones[..steps].iter().filter(|done| **done).count();
    let ends = dones[num_envs..].iter().filter(|done| **done).count();
    (ends > 0).then(|| (steps - fake) as f64 / ends as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms {
        gamma: 0.9,
        average_episode_length: Some(7.0),
        reward_loss: 0.09,
        transition_loss: 0.01,
        reward_lipschitz: 1.0,
        importance_ratio_sup: 1.05,
    };

    #[test]
    fn zeta_by_hand() {
        let certificate = Certificate::new(TERMS, Projection::default());
        // 7 (0.1 + 10 * 0.01) (1 / (0.95238 - 0.9) + 10)
        let expected = 7.0 * 0.2 * (1.0 / (1.0 / 1.05 - 0.9) + 10.0);
        assert!((certificate.zeta.expect("the premise holds") - expected).abs() < 1e-9);
        // Rewards of up to 5 and the discrete distance: K_V = 2 * 5 / 0.1.
        let discrete = Terms { reward_lipschitz: 10.0, ..TERMS };
        let certificate = Certificate::new(discrete, Projection::default());
        assert!((certificate.value_lipschitz - 100.0).abs() < 1e-9);
        let expected = 7.0 * 1.1 * (1.0 / (1.0 / 1.05 - 0.9) + 10.0);
        assert!((certificate.zeta.expect("the premise holds") - expected).abs() < 1e-9);
    }

    #[test]
    fn without_the_premise_there_is_no_bound() {
        let none = |terms| Certificate::new(terms, Projection::default()).zeta;
        assert_eq!(none(Terms { importance_ratio_sup: 1.2, ..TERMS }), None);
        assert_eq!(none(Terms { average_episode_length: None, ..TERMS }), None);
    }

    #[test]
    fn episode_length_counts_real_steps_only() {
        // One environment: two real steps, of which the second ends the episode; a fake step; a
        // real step.
        assert_eq!(average_episode_length(&[false, false, true, false, false], 1), Some(3.0));
        assert_eq!(average_episode_length(&[false, false], 1), None);
    }
}
