//! Both sides of Theorems 2, 3 and 4, with every term named.
//!
//! With `f(s) = sum_a pi(a|s) (l_R + gamma K_V l_P)(s, a)`, one Bellman step in each model gives
//! `|V(s) - Vbar(phi s)| <= f(s) + gamma E_pi |V(s') - Vbar(phi s')|`. The last term is 0 where the
//! episode ends, because phi maps terminal states to terminal latents. So the gap at the start is
//! at most `E_pi sum_t gamma^t f(s_t)` over one episode, and the change of measure to the behaviour
//! policy costs a factor SIR for each step: `SIR^(t+1) E_b`. With `gamma SIR < 1` this gives
//! ```text
//! gap <= SIR AEL (L_R + gamma K_V L_P)                           tight form
//!     <= AEL (L_R / gamma + K_V L_P) / (1 / SIR - gamma)         Theorem 2
//! E_{s ~ xi_b} |V(s) - Vbar(phi s)| <= (L_R + gamma K_V L_P) / (1 / SIR - gamma)    (T2')
//! ```
//! where AEL does not count a reset step ([`super::chain`]). To count it would not change a
//! right-hand side, because `AEL xi` and SIR stay the same. A failed premise is a value,
//! [`Premise`], and the right-hand side is then absent: it must never be NaN, negative or infinite.

use serde::{Deserialize, Serialize};

use super::chain::{Chain, episodic_chain};
use super::error::TheoryError;
use super::lipschitz::{LatentLipschitz, latent_lipschitz};
use super::mdp::Mdp;
use super::neighbourhood::{Ratios, ratios};
use super::policy::Policy;
use super::values::{Values, evaluate};
use super::world_model::{ModelLosses, WorldModel};

/// Whether the theorems apply, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Premise {
    /// All premises hold.
    Holds,
    /// The new policy takes an action that the behaviour policy never takes.
    SupportGained {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
    },
    /// `SIR >= 1 / gamma`: the step was too large.
    RatioTooLarge {
        /// SIR.
        sir: f64,
        /// `1 / gamma`.
        limit: f64,
    },
    /// `gamma K_P >= 1`: the latent model spreads latents too fast for a Lipschitz value.
    NotContracting {
        /// `gamma K_P`.
        factor: f64,
    },
    /// `gamma = 0`, by which Theorem 2 divides.
    NoDiscount,
}

impl Premise {
    /// Every premise that fails for a step with these ratios in a latent model with this `K_P`.
    /// Without a model: those that fail for every model.
    #[must_use]
    pub fn failures(found: &Ratios, gamma: f64, k_p: Option<f64>) -> Vec<Self> {
        let sir = importance_ratio(found);
        let gained = found.gained.map(|(state, action)| Self::SupportGained { state, action });
        let none = (gamma == 0.0).then_some(Self::NoDiscount);
        let large = (1.0 / sir <= gamma).then(|| Self::RatioTooLarge { sir, limit: 1.0 / gamma });
        let factor = k_p.map(|k_p| gamma * k_p).filter(|factor| *factor >= 1.0);
        let spreads = factor.map(|factor| Self::NotContracting { factor });
        [gained, none, large, spreads].into_iter().flatten().collect()
    }
}

impl std::fmt::Display for Premise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Holds => write!(f, "all premises hold"),
            Self::SupportGained { state, action } => write!(
                f,
                "action {action} has become possible in state {state}, where the old policy never \
                 took it"
            ),
            Self::RatioTooLarge { sir, limit } => {
                write!(f, "the step is too large: SIR is {sir:.4}, not below 1/gamma = {limit:.4}")
            }
            Self::NotContracting { factor } => write!(
                f,
                "the latent model spreads latents too fast: gamma K_P is {factor:.4}, not below 1"
            ),
            Self::NoDiscount => write!(f, "gamma is 0, and Theorem 2 divides by it"),
        }
    }
}

/// SIR, at least 1: rounding can make the largest ratio of equal policies slightly less than 1.
const fn importance_ratio(found: &Ratios) -> f64 {
    found.sup.max(1.0)
}

/// The terms of the right-hand sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Discount.
    pub gamma: f64,
    /// Average episode length of the behaviour policy, without a reset step.
    pub ael: f64,
    /// `L_R` under the behaviour policy.
    pub l_r: f64,
    /// `L_P` under the behaviour policy.
    pub l_p: f64,
    /// `K_R` of the latent policy.
    pub k_r: f64,
    /// `K_P` of the latent policy.
    pub k_p: f64,
    /// `K_V`; `None` where `gamma K_P >= 1`.
    pub k_v: Option<f64>,
    /// `D_IR^sup(pi_b, pibar o phi)`.
    pub sir: f64,
    /// Whether the right-hand sides exist.
    pub premise: Premise,
}

impl Terms {
    /// `L_R + gamma K_V L_P`, if the premise holds.
    #[must_use]
    pub fn step_loss(&self) -> Option<f64> {
        let k_v = self.k_v.filter(|_| self.premise == Premise::Holds)?;
        Some(self.l_r + self.gamma * k_v * self.l_p)
    }

    /// Right-hand side of Theorem 2: `AEL (L_R / gamma + K_V L_P) / (1 / SIR - gamma)`.
    #[must_use]
    pub fn theorem_two(&self) -> Option<f64> {
        Some(self.ael * self.step_loss()? / self.gamma * self.amplification())
    }

    /// The tight form: `SIR AEL (L_R + gamma K_V L_P)`.
    #[must_use]
    pub fn tight(&self) -> Option<f64> {
        Some(self.sir * self.ael * self.step_loss()?)
    }

    /// Right-hand side of (T2'): `(L_R + gamma K_V L_P) / (1 / SIR - gamma)`.
    #[must_use]
    pub fn state_average(&self) -> Option<f64> {
        Some(self.step_loss()? * self.amplification())
    }

    /// `1 / (1 / SIR - gamma)`; positive if the premise holds.
    fn amplification(&self) -> f64 {
        1.0 / (1.0 / self.sir - self.gamma)
    }
}

/// Theorem 2: the return of a latent policy in the MDP and in the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TheoremTwo {
    /// The terms of the right-hand side.
    pub terms: Terms,
    /// `rho(pibar o phi, M)`.
    pub return_true: f64,
    /// `rho(pibar, Mbar)`.
    pub return_model: f64,
    /// Left-hand side: `|return_true - return_model|`.
    pub gap: f64,
    /// Bound on the numeric error of `gap`.
    pub gap_error: f64,
    /// Right-hand side.
    pub right_hand_side: Option<f64>,
    /// The tight form of the right-hand side.
    pub tight: Option<f64>,
    /// Left-hand side of (T2'): `E_{s ~ xi_b} |V(s) - Vbar(phi s)|`.
    pub state_gap: f64,
    /// Right-hand side of (T2').
    pub state_bound: Option<f64>,
}

/// Theorem 3: improvement in the MDP compared with improvement in the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TheoremThree {
    /// The terms, with Lipschitz constants valid for both latent policies: Theorem 2 is applied to
    /// each of them, and `K_V` depends on the policy.
    pub terms: Terms,
    /// `rho(pibar o phi, M) - rho(pi_b, M)`.
    pub improvement_true: f64,
    /// `rho(pibar, Mbar) - rho(pibar_b, Mbar)`.
    pub improvement_model: f64,
    /// Bound on the numeric error of the difference of the two improvements.
    pub error: f64,
    /// `AEL (L_R / gamma + K_V L_P) (1 / (1 / SIR - gamma) + 1 / (1 - gamma))`.
    pub zeta: Option<f64>,
    /// Zeta from the tight form: `(SIR + 1) AEL (L_R + gamma K_V L_P)`.
    pub zeta_tight: Option<f64>,
}

impl TheoremThree {
    /// The improvement in the MDP that the theorem guarantees: `improvement_model - zeta`.
    #[must_use]
    pub fn guaranteed(&self) -> Option<f64> {
        Some(self.improvement_model - self.zeta?)
    }
}

/// Theorem 4: states of different value cannot share a latent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TheoremFour {
    /// The terms of delta.
    pub terms: Terms,
    /// The slack epsilon, above 0.
    pub epsilon: f64,
    /// `2 (L_R + gamma K_V L_P) / (epsilon (1 / SIR - gamma))`, by Markov's inequality on (T2'). It
    /// says nothing if it is at least 1.
    pub delta: Option<f64>,
    /// Probability of `|V(s1) - V(s2)| > K_V d(phi s1, phi s2) + epsilon` for independent
    /// `s1, s2 ~ xi_b`; by the theorem at most `delta`. `None` if `K_V` does not exist.
    pub violating_mass: Option<f64>,
}

/// The policy that collected the data.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour<'a> {
    /// A policy on latents, `[Z, A]`, which acts through phi.
    Latents(&'a Policy),
    /// Any policy, `[S, A]`. Theorem 3 does not apply to it.
    States(&'a Policy),
}

/// The theorems for one step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Theorems {
    /// Theorem 2.
    pub two: TheoremTwo,
    /// Theorem 3; none unless the behaviour policy is a latent policy.
    pub three: Option<TheoremThree>,
    /// Theorem 4.
    pub four: TheoremFour,
}

/// The quantities that depend on the behaviour policy alone.
struct Data<'a> {
    mdp: &'a Mdp,
    model: &'a WorldModel,
    behaviour: &'a Policy,
    chain: Chain,
    losses: ModelLosses,
}

/// One latent policy in both models.
struct Comparison {
    terms: Terms,
    lipschitz: LatentLipschitz,
    in_mdp: Values,
    in_model: Values,
}

impl<'a> Data<'a> {
    fn new(
        mdp: &'a Mdp,
        model: &'a WorldModel,
        behaviour: &'a Policy,
    ) -> Result<Self, TheoryError> {
        let chain = episodic_chain(mdp, behaviour)?;
        let losses = model.losses(mdp, behaviour, &chain.stationary)?;
        Ok(Self { mdp, model, behaviour, chain, losses })
    }

    fn compare(&self, latent_policy: &Policy) -> Result<Comparison, TheoryError> {
        let lipschitz = latent_lipschitz(self.model, latent_policy)?;
        let updated = self.model.abstraction().lift(latent_policy)?;
        let found = ratios(self.mdp, self.behaviour, &updated)?;
        Ok(Comparison {
            terms: self.terms(lipschitz, &found),
            lipschitz,
            in_mdp: evaluate(self.mdp, &updated)?,
            in_model: evaluate(self.model.model(), latent_policy)?,
        })
    }

    fn terms(&self, lipschitz: LatentLipschitz, found: &Ratios) -> Terms {
        let LatentLipschitz { k_r, k_p, k_v } = lipschitz;
        let gamma = self.mdp.gamma();
        let sir = importance_ratio(found);
        let failures = Premise::failures(found, gamma, Some(k_p));
        let premise = failures.into_iter().next().unwrap_or(Premise::Holds);
        let (ael, l_r, l_p) = (self.chain.ael, self.losses.l_r, self.losses.l_p);
        Terms { gamma, ael, l_r, l_p, k_r, k_p, k_v, sir, premise }
    }

    fn theorem_two(&self, found: &Comparison) -> TheoremTwo {
        let (return_true, return_model) = (found.in_mdp.start_return, found.in_model.start_return);
        let state_gap = (0..self.mdp.states())
            .map(|state| {
                let latent = self.model.abstraction().latent(state);
                let gap = (found.in_mdp.v[state] - found.in_model.v[latent]).abs();
                self.chain.stationary[state] * gap
            })
            .sum();
        TheoremTwo {
            terms: found.terms,
            return_true,
            return_model,
            gap: (return_true - return_model).abs(),
            gap_error: found.in_mdp.error + found.in_model.error,
            right_hand_side: found.terms.theorem_two(),
            tight: found.terms.tight(),
            state_gap,
            state_bound: found.terms.state_average(),
        }
    }

    /// `old` compares the behaviour policy itself in both models.
    fn theorem_three(&self, new: &Comparison, old: &Comparison) -> TheoremThree {
        let gamma = self.mdp.gamma();
        let LatentLipschitz { k_r, k_p, k_v } = new.lipschitz.common(old.lipschitz, gamma);
        let premise = match (new.terms.premise, old.terms.premise) {
            (Premise::Holds, other) => other,
            (premise, _) => premise,
        };
        let terms = Terms { k_r, k_p, k_v, premise, ..new.terms };
        let unchanged = Terms { sir: 1.0, ..terms };
        let sum = |new: Option<f64>, old: Option<f64>| Some(new? + old?);
        TheoremThree {
            terms,
            improvement_true: new.in_mdp.start_return - old.in_mdp.start_return,
            improvement_model: new.in_model.start_return - old.in_model.start_return,
            error: [&new.in_mdp, &old.in_mdp, &new.in_model, &old.in_model]
                .iter()
                .map(|values| values.error)
                .sum(),
            zeta: sum(terms.theorem_two(), unchanged.theorem_two()),
            zeta_tight: sum(terms.tight(), unchanged.tight()),
        }
    }

    fn theorem_four(&self, found: &Comparison, epsilon: f64) -> TheoremFour {
        let (xi, v) = (&self.chain.stationary, &found.in_mdp.v);
        let mass = |k_v: f64| {
            let mut total = 0.0;
            for first in 0..v.len() {
                for second in 0..v.len() {
                    let latent = |state| self.model.abstraction().latent(state);
                    let distance = self.model.metric().distance(latent(first), latent(second));
                    // Both values have a numeric error: a pair counts only if it violates the
                    // inequality for certain.
                    let allowed = k_v * distance + epsilon + 2.0 * found.in_mdp.error;
                    if (v[first] - v[second]).abs() > allowed {
                        total += xi[first] * xi[second];
                    }
                }
            }
            total
        };
        TheoremFour {
            terms: found.terms,
            epsilon,
            delta: found.terms.state_average().map(|bound| 2.0 * bound / epsilon),
            violating_mass: found.terms.k_v.map(mass),
        }
    }
}

/// Theorem 2 for `behaviour` `[S, A]` and a latent policy `[Z, A]`.
///
/// # Errors
/// Errors of [`episodic_chain`] for the behaviour policy, of linear solves and of transport
/// problems; sizes. A failed premise is not an error; it is in [`Terms::premise`].
pub fn theorem_two(
    mdp: &Mdp,
    model: &WorldModel,
    behaviour: &Policy,
    latent_policy: &Policy,
) -> Result<TheoremTwo, TheoryError> {
    let data = Data::new(mdp, model, behaviour)?;
    Ok(data.theorem_two(&data.compare(latent_policy)?))
}

/// Theorem 3 for a latent behaviour policy and a latent policy, both `[Z, A]`.
///
/// # Errors
/// As [`theorem_two`].
pub fn theorem_three(
    mdp: &Mdp,
    model: &WorldModel,
    latent_behaviour: &Policy,
    latent_policy: &Policy,
) -> Result<TheoremThree, TheoryError> {
    let behaviour = model.abstraction().lift(latent_behaviour)?;
    let data = Data::new(mdp, model, &behaviour)?;
    Ok(data.theorem_three(&data.compare(latent_policy)?, &data.compare(latent_behaviour)?))
}

/// Theorem 4 for `behaviour` `[S, A]` and a latent policy `[Z, A]`, over all pairs of states.
///
/// # Errors
/// [`TheoryError::Range`] unless `epsilon` is above 0 and finite; otherwise as [`theorem_two`].
pub fn theorem_four(
    mdp: &Mdp,
    model: &WorldModel,
    behaviour: &Policy,
    latent_policy: &Policy,
    epsilon: f64,
) -> Result<TheoremFour, TheoryError> {
    require_slack(epsilon)?;
    let data = Data::new(mdp, model, behaviour)?;
    Ok(data.theorem_four(&data.compare(latent_policy)?, epsilon))
}

/// Theorems 2, 3 and 4 for one step; quantities that they share are computed once.
///
/// # Errors
/// Those of [`theorem_four`].
pub fn theorems(
    mdp: &Mdp,
    model: &WorldModel,
    behaviour: Behaviour,
    latent_policy: &Policy,
    epsilon: f64,
) -> Result<Theorems, TheoryError> {
    require_slack(epsilon)?;
    let over_states = match behaviour {
        Behaviour::States(policy) => policy.clone(),
        Behaviour::Latents(policy) => model.abstraction().lift(policy)?,
    };
    let data = Data::new(mdp, model, &over_states)?;
    let new = data.compare(latent_policy)?;
    let three = match behaviour {
        Behaviour::States(_) => None,
        Behaviour::Latents(policy) => Some(data.theorem_three(&new, &data.compare(policy)?)),
    };
    Ok(Theorems { two: data.theorem_two(&new), three, four: data.theorem_four(&new, epsilon) })
}

fn require_slack(epsilon: f64) -> Result<(), TheoryError> {
    if epsilon > 0.0 && epsilon.is_finite() {
        return Ok(());
    }
    Err(TheoryError::Range {
        what: "epsilon",
        got: epsilon,
        allowed: "above 0 and finite",
        remedy: "use a small part of the range of values",
    })
}

#[cfg(test)]
mod tests {
    use super::super::metric::Metric;
    use super::super::random::{random_abstraction, random_mdp, random_policy};
    use super::super::world_model::Unvisited;
    use super::*;

    #[test]
    fn all_at_once_is_what_one_by_one_is() {
        let mdp = random_mdp(9, 3, 3, 0.9, 3).unwrap();
        let phi = random_abstraction(&mdp, 5, 4).unwrap();
        let old = random_policy(phi.latents(), mdp.actions(), 5).unwrap();
        let new = random_policy(phi.latents(), mdp.actions(), 6).unwrap();
        let behaviour = phi.lift(&old).unwrap();
        let metric = Metric::discrete(phi.latents());
        let model = WorldModel::counted(&mdp, phi, &behaviour, Unvisited::Absorb, metric).unwrap();
        let all = theorems(&mdp, &model, Behaviour::Latents(&old), &new, 0.5).unwrap();
        assert_eq!(all.two, theorem_two(&mdp, &model, &behaviour, &new).unwrap());
        assert_eq!(all.three, Some(theorem_three(&mdp, &model, &old, &new).unwrap()));
        assert_eq!(all.four, theorem_four(&mdp, &model, &behaviour, &new, 0.5).unwrap());
        let states = theorems(&mdp, &model, Behaviour::States(&behaviour), &new, 0.5).unwrap();
        assert_eq!(states, Theorems { three: None, ..all });
    }

    #[test]
    fn every_failed_premise_is_listed() {
        let place = (0, 0);
        let found =
            Ratios { sup: 1.2, sup_at: place, inf: 0.9, inf_at: place, gained: Some((1, 2)) };
        let all = Premise::failures(&found, 0.9, Some(1.5));
        let text: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(all[0], Premise::SupportGained { state: 1, action: 2 });
        assert!(matches!(all[1], Premise::RatioTooLarge { sir: 1.2, .. }), "{text:?}");
        assert!(matches!(all[2], Premise::NotContracting { .. }) && text[2].contains("1.35"));
        let small = Ratios { sup: 1.05, gained: None, ..found };
        assert_eq!(Premise::failures(&small, 0.9, Some(1.0)), []);
        assert_eq!(Premise::failures(&small, 0.0, None), [Premise::NoDiscount]);
    }
}
