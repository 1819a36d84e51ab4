//! Latent world models and their losses under the behaviour policy.
//!
//! A latent model is itself an [`Mdp`] over latents, so that the same code computes values and
//! plans for both. Its terminal latents, start and discount must be the image of the MDP's under
//! phi. The losses here are exact expectations of true distances. Training minimises an upper bound
//! of `L_P`, which must not have the same name.

use serde::{Deserialize, Serialize};

use super::abstraction::Abstraction;
use super::chain::episodic_chain;
use super::error::TheoryError;
use super::mdp::{Mdp, MdpParts, check_size};
use super::metric::Metric;
use super::policy::Policy;
use super::wasserstein::wasserstein;

/// A pair of latent and action with less data than this counts as having none: sums would lose
/// digits by underflow.
const SMALLEST_WEIGHT: f64 = 1e-250;

/// What a counted model does for a latent and action for which the behaviour policy gives no data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unvisited {
    /// Refuse with [`TheoryError::NoData`].
    #[default]
    Refuse,
    /// Stay in the latent with reward 0. All bounds stay valid: such pairs have weight 0 in `L_R`
    /// and `L_P`, and `K_R`, `K_P` are those of the completed model. But it biases planning: where
    /// rewards are negative, staying for ever looks good.
    Absorb,
}

/// A latent MDP, the encoder it belongs to, and the metric on its latents.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldModel {
    abstraction: Abstraction,
    model: Mdp,
    metric: Metric,
}

/// Losses of a world model under a behaviour policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelLosses {
    /// `l_R(s, a) = |R(s, a) - Rbar(phi(s), a)|`, `[S, A]`; 0 at terminal states.
    pub reward: Vec<f64>,
    /// `l_P(s, a) = W(phi_# P(.|s, a), Pbar(.|phi(s), a))`, `[S, A]`; 0 at terminal states.
    pub transition: Vec<f64>,
    /// `L_R`: expectation of `reward` for `s ~ xi`, `a ~ pi_b`.
    pub l_r: f64,
    /// `L_P`: expectation of `transition`.
    pub l_p: f64,
}

impl WorldModel {
    /// A given latent model.
    ///
    /// # Errors
    /// [`TheoryError::ModelMismatch`] if discount, start or a terminal flag is not the image of
    /// that of `mdp` under the encoder; errors of sizes.
    pub fn given(
        mdp: &Mdp,
        abstraction: Abstraction,
        model: Mdp,
        metric: Metric,
    ) -> Result<Self, TheoryError> {
        check_size("the encoder", abstraction.states(), mdp.states())?;
        check_size("the latent model", model.states(), abstraction.latents())?;
        check_size("the metric", metric.points(), abstraction.latents())?;
        check_size("the latent model's action list", model.actions(), mdp.actions())?;
        let start = abstraction.latent(mdp.start());
        if model.start() != start {
            let (got, expected) = (model.start() as f64, start as f64);
            return Err(TheoryError::ModelMismatch { what: "start latent", got, expected });
        }
        if model.gamma() != mdp.gamma() {
            let (got, expected) = (model.gamma(), mdp.gamma());
            return Err(TheoryError::ModelMismatch { what: "discount", got, expected });
        }
        let flags = |flags: &[bool]| flags.iter().filter(|x| **x).count() as f64;
        if model.terminal() != abstraction.terminal() {
            let (got, expected) = (flags(model.terminal()), flags(abstraction.terminal()));
            let what = "other terminal latents than the encoder, in number";
            return Err(TheoryError::ModelMismatch { what, got, expected });
        }
        Ok(Self { abstraction, model, metric })
    }

    /// The model that unlimited data of the behaviour policy would give: means over the states of a
    /// latent with weights `xi_b(s) pi_b(a|s)`.
    ///
    /// # Errors
    /// [`TheoryError::NoData`] with [`Unvisited::Refuse`]; errors of [`episodic_chain`]; errors of
    /// sizes.
    pub fn counted(
        mdp: &Mdp,
        abstraction: Abstraction,
        behaviour: &Policy,
        unvisited: Unvisited,
        metric: Metric,
    ) -> Result<Self, TheoryError> {
        check_size("the encoder", abstraction.states(), mdp.states())?;
        let xi = episodic_chain(mdp, behaviour)?.stationary;
        let (latents, actions) = (abstraction.latents(), mdp.actions());
        let mut weights = vec![0.0; latents * actions];
        let mut rewards = weights.clone();
        let mut images = vec![vec![0.0; latents]; latents * actions];
        for state in mdp.live_states() {
            for action in 0..actions {
                let weight = xi[state] * behaviour.probability(state, action);
                let index = abstraction.latent(state) * actions + action;
                weights[index] += weight;
                rewards[index] += weight * mdp.reward(state, action);
                for (next, p) in mdp.row(state, action) {
                    images[index][abstraction.latent(next)] += weight * p;
                }
            }
        }
        let mut transitions = vec![Vec::new(); latents * actions];
        for latent in (0..latents).filter(|latent| !abstraction.terminal()[*latent]) {
            for action in 0..actions {
                let index = latent * actions + action;
                let weight = weights[index];
                if weight >= SMALLEST_WEIGHT {
                    rewards[index] /= weight;
                    let image = images[index].iter().enumerate().filter(|(_, p)| **p > 0.0);
                    transitions[index] = image.map(|(next, p)| (next, p / weight)).collect();
                } else if unvisited == Unvisited::Absorb {
                    rewards[index] = 0.0;
                    transitions[index] = vec![(latent, 1.0)];
                } else {
                    return Err(TheoryError::NoData { latent, action });
                }
            }
        }
        let model = Mdp::new(MdpParts {
            states: latents,
            actions,
            transitions,
            rewards,
            gamma: mdp.gamma(),
            start: abstraction.latent(mdp.start()),
            terminal: abstraction.terminal().to_vec(),
        })?;
        Self::given(mdp, abstraction, model, metric)
    }

    /// The encoder.
    #[must_use]
    pub const fn abstraction(&self) -> &Abstraction {
        &self.abstraction
    }

    /// The latent MDP.
    #[must_use]
    pub const fn model(&self) -> &Mdp {
        &self.model
    }

    /// The metric on latents.
    #[must_use]
    pub const fn metric(&self) -> &Metric {
        &self.metric
    }

    /// `Pbar(. | z, a)` as a dense `[Z]` distribution; a terminal latent goes to itself.
    #[must_use]
    pub fn latent_row(&self, latent: usize, action: usize) -> Vec<f64> {
        let mut row = vec![0.0; self.model.states()];
        if self.model.is_terminal(latent) {
            row[latent] = 1.0;
        }
        for (next, p) in self.model.row(latent, action) {
            row[next] = p;
        }
        row
    }

    /// Losses under `behaviour` `[S, A]`, whose stationary distribution is `xi` `[S]`.
    ///
    /// # Errors
    /// Errors of sizes; [`TheoryError::Transport`].
    pub fn losses(
        &self,
        mdp: &Mdp,
        behaviour: &Policy,
        xi: &[f64],
    ) -> Result<ModelLosses, TheoryError> {
        behaviour.require_fits(mdp)?;
        check_size("the encoder", self.abstraction.states(), mdp.states())?;
        check_size("the stationary distribution", xi.len(), mdp.states())?;
        let actions = mdp.actions();
        let mut reward = vec![0.0; mdp.states() * actions];
        let mut transition = reward.clone();
        let (mut l_r, mut l_p) = (0.0, 0.0);
        for state in mdp.live_states() {
            let latent = self.abstraction.latent(state);
            for action in 0..actions {
                let index = state * actions + action;
                reward[index] =
                    (mdp.reward(state, action) - self.model.reward(latent, action)).abs();
                transition[index] = wasserstein(
                    &self.metric,
                    &self.abstraction.push_forward(mdp, state, action),
                    &self.latent_row(latent, action),
                )?;
                let weight = xi[state] * behaviour.probability(state, action);
                l_r += weight * reward[index];
                l_p += weight * transition[index];
            }
        }
        Ok(ModelLosses { reward, transition, l_r, l_p })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// State 0 goes to 1 or 2, which have rewards 1 and 3 and go to the terminal state 3.
    fn mdp() -> Mdp {
        Mdp::new(MdpParts {
            states: 4,
            actions: 1,
            transitions: vec![vec![(1, 0.25), (2, 0.75)], vec![(3, 1.0)], vec![(3, 1.0)], vec![]],
            rewards: vec![0.0, 1.0, 3.0, 0.0],
            gamma: 0.9,
            start: 0,
            terminal: vec![false, false, false, true],
        })
        .unwrap()
    }

    #[test]
    fn counting_averages_by_visits() {
        let mdp = mdp();
        let behaviour = Policy::uniform(4, 1);
        let phi = Abstraction::new(&mdp, vec![0, 1, 1, 2], vec![false, false, true]).unwrap();
        let metric = Metric::discrete(3);
        let model = WorldModel::counted(&mdp, phi, &behaviour, Unvisited::Refuse, metric).unwrap();
        assert!((model.model().reward(1, 0) - 2.5).abs() < 1e-14);
        let xi = episodic_chain(&mdp, &behaviour).unwrap().stationary;
        let losses = model.losses(&mdp, &behaviour, &xi).unwrap();
        // xi = (1/2, 1/8, 3/8): 1/8 * 1.5 + 3/8 * 0.5.
        assert!((losses.l_r - 0.375).abs() < 1e-14 && losses.l_p < 1e-15, "{losses:?}");
    }

    #[test]
    fn a_latent_without_data_is_refused_or_absorbs() {
        let mdp = mdp();
        let behaviour = Policy::uniform(4, 1);
        let phi =
            || Abstraction::new(&mdp, vec![0, 1, 1, 2], vec![false, false, true, false]).unwrap();
        let count = |unvisited| {
            WorldModel::counted(&mdp, phi(), &behaviour, unvisited, Metric::discrete(4))
        };
        let refused = count(Unvisited::Refuse).unwrap_err();
        assert_eq!(refused, TheoryError::NoData { latent: 3, action: 0 });
        let model = count(Unvisited::Absorb).unwrap();
        assert_eq!(model.latent_row(3, 0), [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_model_of_another_mdp_is_refused() {
        let mdp = mdp();
        let given = |model: Mdp| {
            WorldModel::given(&mdp, Abstraction::identity(&mdp), model, Metric::discrete(4))
        };
        let other_gamma = mdp.clone().with_gamma(0.5).unwrap();
        let other_start = mdp.clone().with_start(1).unwrap();
        for model in [other_gamma, other_start] {
            let error = given(model).unwrap_err();
            assert!(matches!(error, TheoryError::ModelMismatch { .. }), "{error}");
        }
        assert!(given(mdp.clone()).is_ok());
    }
}
