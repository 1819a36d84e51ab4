//! Both sides of Theorems 2, 3 and 4, with every term named.
//!
//! With `f(s) = sum_a pi(a|s) (l_R + gamma K_V l_P)(s, a)`, one Bellman step in each model gives
//! `|V(s) - Vbar(phi s)| <= f(s) + gamma E_pi |V(s') - Vbar(phi s')|`, and the last term is 0 where
//! the episode ends, because phi maps ends to ends. So the gap at the start is at most
//! `E_pi sum_t gamma^t f(s_t)` over one episode, and a change of measure costs a factor SIR for each
//! step: `SIR^(t+1) E_b`. With `gamma SIR < 1` this gives
//! ```text
//! gap <= SIR AEL (L_R + gamma K_V L_P)                           tight form
//!     <= AEL (L_R / gamma + K_V L_P) / (1 / SIR - gamma)         Theorem 2
//! E_{s ~ xi_b} |V(s) - Vbar(phi s)| <= (L_R + gamma K_V L_P) / (1 / SIR - gamma)    (T2')
//! ```
//! where AEL does not count a reset step ([`super::chain`]); counting it changes no right side, as
//! `AEL xi` stays and SIR does not change. A premise that fails is a value,
//! [`Premise`], and the right side is then absent: it is never NaN, negative or infinite.

use serde::{Deserialize, Serialize};

use super::chain::{Chain, episodic_chain};
use super::error::TheoryError;
use super::lipschitz::{LatentLipschitz, latent_lipschitz};
use super::mdp::Mdp;
use super::neighbourhood::{Ratios, ratios};
use super::policy::Policy;
use super::values::{Values, evaluate};
use super::world_model::{ModelLosses, WorldModel};

/// Whether the theorems apply, else why not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Premise {
    /// All premises hold.
    Holds,
    /// The new policy takes an action that the behaviour policy never takes.
    SupportGained {
        /// Where.
        state: usize,
        /// Where.
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

/// What the right sides are made of.
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
    /// Whether the right sides exist.
    pub premise: Premise,
}

impl Terms {
    /// `L_R + gamma K_V L_P`, if the premise holds.
    #[must_use]
    pub fn step_loss(&self) -> Option<f64> {
        let k_v = self.k_v.filter(|_| self.premise == Premise::Holds)?;
        Some(self.l_r + self.gamma * k_v * self.l_p)
    }

    /// Right side of Theorem 2: `AEL (L_R / gamma + K_V L_P) / (1 / SIR - gamma)`.
    #[must_use]
    pub fn theorem_two(&self) -> Option<f64> {
        Some(self.ael * self.step_loss()? / self.gamma * self.amplification())
    }

    /// The tight form: `SIR AEL (L_R + gamma K_V L_P)`.
    #[must_use]
    pub fn tight(&self) -> Option<f64> {
        Some(self.sir * self.ael * self.step_loss()?)
    }

    /// Right side of (T2'): `(L_R + gamma K_V L_P) / (1 / SIR - gamma)`.
    #[must_use]
    pub fn state_average(&self) -> Option<f64> {
        Some(self.step_loss()? * self.amplification())
    }

    /// `1 / (1 / SIR - gamma)`; positive where the premise holds.
    fn amplification(&self) -> f64 {
        1.0 / (1.0 / self.sir - self.gamma)
    }
}

/// Theorem 2: the return of a latent policy in the MDP and in the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TheoremTwo {
    /// The terms of the right side.
    pub terms: Terms,
    /// `rho(pibar o phi, M)`.
    pub return_true: f64,
    /// `rho(pibar, Mbar)`.
    pub return_model: f64,
    /// Left side: `|return_true - return_model|`.
    pub gap: f64,
    /// Bound on the numeric error of `gap`.
    pub gap_error: f64,
    /// Right side.
    pub right_hand_side: Option<f64>,
    /// The tight form of the right side.
    pub tight: Option<f64>,
    /// Left side of (T2'): `E_{s ~ xi_b} |V(s) - Vbar(phi s)|`.
    pub state_gap: f64,
    /// Right side of (T2').
    pub state_bound: Option<f64>,
}

/// Theorem 3: improvement in the MDP against improvement in the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TheoremThree {
    /// The terms, with Lipschitz constants valid for both latent policies: Theorem 2 is applied to
    /// each of them, and `K_V` depends on the policy.
    pub terms: Terms,
    /// `rho(pibar o phi, M) - rho(pi_b, M)`.
    pub improvement_true: f64,
    /// `rho(pibar, Mbar) - rho(pibar_b, Mbar)`.
    pub improvement_model: f64,
    /// Bound on the numeric error of the difference of the two.
    pub error: f64,
    /// `AEL (L_R / gamma + K_V L_P) (1 / (1 / SIR - gamma) + 1 / (1 - gamma))`.
    pub zeta: Option<f64>,
    /// The same from the tight form: `(SIR + 1) AEL (L_R + gamma K_V L_P)`.
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
    /// Slack, above 0.
    pub epsilon: f64,
    /// `2 (L_R + gamma K_V L_P) / (epsilon (1 / SIR - gamma))`, by Markov's inequality on (T2');
    /// says nothing from 1 on.
    pub delta: Option<f64>,
    /// Probability of `|V(s1) - V(s2)| > K_V d(phi s1, phi s2) + epsilon` for independent
    /// `s1, s2 ~ xi_b`; the theorem: at most `delta`. `None` where `K_V` does not exist.
    pub violating_mass: Option<f64>,
}

/// What the behaviour policy alone decides.
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
        // Rounding can leave the ratio of equal policies just below 1.
        let sir = found.sup.max(1.0);
        let premise = if let Some((state, action)) = found.gained {
            Premise::SupportGained { state, action }
        } else if gamma == 0.0 {
            Premise::NoDiscount
        } else if 1.0 / sir <= gamma {
            Premise::RatioTooLarge { sir, limit: 1.0 / gamma }
        } else if k_v.is_none() {
            Premise::NotContracting { factor: gamma * k_p }
        } else {
            Premise::Holds
        };
        let (ael, l_r, l_p) = (self.chain.ael, self.losses.l_r, self.losses.l_p);
        Terms { gamma, ael, l_r, l_p, k_r, k_p, k_v, sir, premise }
    }
}

/// Theorem 2 for `behaviour` `[S, A]` and a latent policy `[Z, A]`.
///
/// # Errors
/// Those of [`episodic_chain`] for the behaviour policy, of linear solves and of transport
/// problems; sizes. A failed premise is no error, but [`Terms::premise`].
pub fn theorem_two(
    mdp: &Mdp,
    model: &WorldModel,
    behaviour: &Policy,
    latent_policy: &Policy,
) -> Result<TheoremTwo, TheoryError> {
    let data = Data::new(mdp, model, behaviour)?;
    let found = data.compare(latent_policy)?;
    let (return_true, return_model) = (found.in_mdp.start_return, found.in_model.start_return);
    let state_gap = (0..mdp.states())
        .map(|state| {
            let latent = model.abstraction().latent(state);
            data.chain.stationary[state] * (found.in_mdp.v[state] - found.in_model.v[latent]).abs()
        })
        .sum();
    Ok(TheoremTwo {
        terms: found.terms,
        return_true,
        return_model,
        gap: (return_true - return_model).abs(),
        gap_error: found.in_mdp.error + found.in_model.error,
        right_hand_side: found.terms.theorem_two(),
        tight: found.terms.tight(),
        state_gap,
        state_bound: found.terms.state_average(),
    })
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
    let (new, old) = (data.compare(latent_policy)?, data.compare(latent_behaviour)?);
    let LatentLipschitz { k_r, k_p, k_v } = new.lipschitz.common(old.lipschitz, mdp.gamma());
    let premise = match (new.terms.premise, old.terms.premise) {
        (Premise::Holds, other) => other,
        (premise, _) => premise,
    };
    let terms = Terms { k_r, k_p, k_v, premise, ..new.terms };
    let unchanged = Terms { sir: 1.0, ..terms };
    let sum = |new: Option<f64>, old: Option<f64>| Some(new? + old?);
    Ok(TheoremThree {
        terms,
        improvement_true: new.in_mdp.start_return - old.in_mdp.start_return,
        improvement_model: new.in_model.start_return - old.in_model.start_return,
        error: [&new.in_mdp, &old.in_mdp, &new.in_model, &old.in_model]
            .iter()
            .map(|values| values.error)
            .sum(),
        zeta: sum(terms.theorem_two(), unchanged.theorem_two()),
        zeta_tight: sum(terms.tight(), unchanged.tight()),
    })
}

/// Theorem 4 for `behaviour` `[S, A]` and a latent policy `[Z, A]`, over all pairs of states.
///
/// # Errors
/// [`TheoryError::Range`] unless `epsilon` is above 0 and finite; else as [`theorem_two`].
pub fn theorem_four(
    mdp: &Mdp,
    model: &WorldModel,
    behaviour: &Policy,
    latent_policy: &Policy,
    epsilon: f64,
) -> Result<TheoremFour, TheoryError> {
    if !(epsilon > 0.0 && epsilon.is_finite()) {
        return Err(TheoryError::Range {
            what: "epsilon",
            got: epsilon,
            allowed: "above 0 and finite",
            remedy: "use a small part of the range of values",
        });
    }
    let data = Data::new(mdp, model, behaviour)?;
    let found = data.compare(latent_policy)?;
    let (xi, v) = (&data.chain.stationary, &found.in_mdp.v);
    let mass = |k_v: f64| {
        let mut total = 0.0;
        for first in 0..v.len() {
            for second in 0..v.len() {
                let latent = |state| model.abstraction().latent(state);
                let distance = model.metric().distance(latent(first), latent(second));
                // Both values may be off by their error: a pair counts only if it violates surely.
                let allowed = k_v * distance + epsilon + 2.0 * found.in_mdp.error;
                if (v[first] - v[second]).abs() > allowed {
                    total += xi[first] * xi[second];
                }
            }
        }
        total
    };
    Ok(TheoremFour {
        terms: found.terms,
        epsilon,
        delta: found.terms.state_average().map(|bound| 2.0 * bound / epsilon),
        violating_mass: found.terms.k_v.map(mass),
    })
}
