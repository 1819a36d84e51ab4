//! Lipschitz constants of a latent model under a latent policy (docs/theory.md, section 2).
//!
//! `K_R` and `K_P` are the smallest constants such that for all latents `z1`, `z2`
//! `|Rbar_pi(z1) - Rbar_pi(z2)| <= K_R d(z1, z2)` and
//! `W(Pbar_pi(.|z1), Pbar_pi(.|z2)) <= K_P d(z1, z2)`. Terminal latents are included with reward 0
//! and a transition to themselves, which matches their value 0. Pairs of two terminal latents are
//! left out, since both have value 0 and need no bound. By induction over
//! `V_{n+1} = Rbar_pi + gamma Pbar_pi V_n` from `V_0 = 0`,
//! `K_R (1 + gamma K_P + (gamma K_P)^2 + ...)` is a Lipschitz constant of every `V_n`, and so of
//! the limit. Terminal latents must be included, because the bound integrates `Vbar` over
//! distributions that reach them.

use serde::{Deserialize, Serialize};

use super::error::TheoryError;
use super::mdp::check_size;
use super::policy::Policy;
use super::values::policy_rewards;
use super::wasserstein::wasserstein;
use super::world_model::WorldModel;

/// Exact Lipschitz constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatentLipschitz {
    /// `K_R`, reward per unit of distance.
    pub k_r: f64,
    /// `K_P`.
    pub k_p: f64,
    /// `K_V = K_R / (1 - gamma K_P)`; `None` if `gamma K_P >= 1`, where the series diverges.
    pub k_v: Option<f64>,
}

impl LatentLipschitz {
    /// Constants that are valid for both of two policies.
    #[must_use]
    pub fn common(self, other: Self, gamma: f64) -> Self {
        Self::new(self.k_r.max(other.k_r), self.k_p.max(other.k_p), gamma)
    }

    fn new(k_r: f64, k_p: f64, gamma: f64) -> Self {
        let left = 1.0 - gamma * k_p;
        Self { k_r, k_p, k_v: (left > 0.0).then(|| k_r / left) }
    }
}

/// `K_R`, `K_P`, `K_V` of a latent policy `[Z, A]`, over all pairs of latents. It computes
/// `Z^2 / 2` Wasserstein distances.
///
/// # Errors
/// Errors of sizes; [`TheoryError::Transport`].
pub fn latent_lipschitz(
    model: &WorldModel,
    latent_policy: &Policy,
) -> Result<LatentLipschitz, TheoryError> {
    let latent_mdp = model.model();
    latent_policy.require_fits(latent_mdp)?;
    let latents = latent_mdp.states();
    check_size("the metric", model.metric().points(), latents)?;
    let rewards = policy_rewards(latent_mdp, latent_policy);
    let rows: Vec<Vec<f64>> = (0..latents).map(|z| mixed_row(model, latent_policy, z)).collect();
    let (mut k_r, mut k_p) = (0.0_f64, 0.0_f64);
    for first in 0..latents {
        for second in 0..first {
            if latent_mdp.is_terminal(first) && latent_mdp.is_terminal(second) {
                continue;
            }
            let distance = model.metric().distance(first, second);
            let moved = wasserstein(model.metric(), &rows[first], &rows[second])?;
            k_r = k_r.max((rewards[first] - rewards[second]).abs() / distance);
            k_p = k_p.max(moved / distance);
        }
    }
    Ok(LatentLipschitz::new(k_r, k_p, latent_mdp.gamma()))
}

/// `Pbar_pi(.|z)`, `[Z]`.
fn mixed_row(model: &WorldModel, latent_policy: &Policy, latent: usize) -> Vec<f64> {
    let mut mixed = vec![0.0; model.model().states()];
    for (action, chosen) in latent_policy.row(latent).iter().enumerate() {
        for (total, p) in mixed.iter_mut().zip(model.latent_row(latent, action)) {
            *total += chosen * p;
        }
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::super::abstraction::Abstraction;
    use super::super::mdp::{Mdp, MdpParts};
    use super::super::metric::Metric;
    use super::*;

    /// Latents 0 and 1 swap with probability 1 - `end`, otherwise they go to one of the two
    /// terminal latents.
    fn model(end: f64, metric: Metric) -> WorldModel {
        let mdp = Mdp::new(MdpParts {
            states: 4,
            actions: 1,
            transitions: vec![
                vec![(1, 1.0 - end), (2, end)],
                vec![(0, 1.0 - end), (3, end)],
                vec![],
                vec![],
            ],
            rewards: vec![1.0, -1.0, 0.0, 0.0],
            gamma: 0.9,
            start: 0,
            terminal: vec![false, false, true, true],
        })
        .unwrap();
        WorldModel::given(&mdp, Abstraction::identity(&mdp), mdp.clone(), metric).unwrap()
    }

    #[test]
    fn constants_by_hand() {
        let policy = Policy::uniform(4, 1);
        let found = latent_lipschitz(&model(0.5, Metric::discrete(4)), &policy).unwrap();
        // Rewards differ by 2 between latents 0 and 1, whose next latents do not overlap.
        assert_eq!((found.k_r, found.k_p), (2.0, 1.0));
        assert!((found.k_v.unwrap() - 20.0).abs() < 1e-12);
    }

    #[test]
    fn a_model_that_spreads_latents_has_no_value_constant() {
        // Terminal latents are ten times further apart than the others.
        let metric = Metric::line(&[0.0, 1.0, -10.0, 10.0]).unwrap();
        let found = latent_lipschitz(&model(0.5, metric), &Policy::uniform(4, 1)).unwrap();
        assert!(found.k_p > 1.0 / 0.9 && found.k_v.is_none(), "{found:?}");
    }
}
