//! Importance ratios and the neighbourhood `N^C` (Eq. 2).
//!
//! A membership check must never return a plain `false`: its error says where and by how much a
//! policy leaves the neighbourhood. Ratios are taken over all states that are not terminal, also
//! those that the policy never reaches, as in the supremum of Eq. 2.

use serde::{Deserialize, Serialize};

use super::error::{TheoryError, Violation};
use super::mdp::Mdp;
use super::policy::Policy;

/// Largest accepted excess of a ratio over its limit, relative to the limit. It allows for the
/// rounding of a step that goes exactly to the limit.
pub const RATIO_TOLERANCE: f64 = 1e-9;

/// `D_IR^sup` and `D_IR^inf`, and where they are attained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    /// Largest `pi'(a|s) / pi(a|s)` over actions in the support of pi ("SIR"); at least 1 up to
    /// rounding.
    pub sup: f64,
    /// State and action of `sup`.
    pub sup_at: (usize, usize),
    /// Smallest such ratio; at most 1 up to rounding.
    pub inf: f64,
    /// State and action of `inf`.
    pub inf_at: (usize, usize),
    /// The first action that pi' takes and pi never takes. If there is one, `sup` does not bound
    /// the change of measure, and no theorem applies.
    pub gained: Option<(usize, usize)>,
}

/// Importance ratios of `updated` to `behaviour`.
///
/// # Errors
/// [`TheoryError::Size`] if a policy does not fit the MDP.
pub fn ratios(mdp: &Mdp, behaviour: &Policy, updated: &Policy) -> Result<Ratios, TheoryError> {
    behaviour.require_fits(mdp)?;
    updated.require_fits(mdp)?;
    let start = (mdp.start(), 0);
    let (mut sup, mut inf) = ((f64::NEG_INFINITY, start), (f64::INFINITY, start));
    let mut gained = None;
    for state in mdp.live_states() {
        for (action, (old, new)) in behaviour.row(state).iter().zip(updated.row(state)).enumerate()
        {
            if *old == 0.0 {
                if *new > 0.0 && gained.is_none() {
                    gained = Some((state, action));
                }
                continue;
            }
            let ratio = new / old;
            if ratio > sup.0 {
                sup = (ratio, (state, action));
            }
            if ratio < inf.0 {
                inf = (ratio, (state, action));
            }
        }
    }
    Ok(Ratios { sup: sup.0, sup_at: sup.1, inf: inf.0, inf_at: inf.1, gained })
}

/// A neighbourhood, given by its constant `C` in `(1, 2)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Neighbourhood {
    c: f64,
}

impl Neighbourhood {
    /// The neighbourhood `N^C`.
    ///
    /// # Errors
    /// [`TheoryError::Range`] unless `1 < C < 2`: with `C = 1` no policy can change, and from 2 on
    /// an action may lose its support.
    pub fn new(c: f64) -> Result<Self, TheoryError> {
        if c > 1.0 && c < 2.0 {
            return Ok(Self { c });
        }
        Err(TheoryError::Range {
            what: "C",
            got: c,
            allowed: "(1, 2)",
            remedy: "use a value above 1, and below 1 / gamma for Theorems 2 to 4",
        })
    }

    /// `C`.
    #[must_use]
    pub const fn c(self) -> f64 {
        self.c
    }

    /// Checks that `updated` is in `N^C(behaviour)`, up to [`RATIO_TOLERANCE`].
    ///
    /// # Errors
    /// [`TheoryError::OutsideNeighbourhood`] with a change of support if there is one, else with
    /// the ratio furthest outside its limit. Errors of sizes.
    pub fn require(
        self,
        mdp: &Mdp,
        behaviour: &Policy,
        updated: &Policy,
    ) -> Result<Ratios, TheoryError> {
        let found = ratios(mdp, behaviour, updated)?;
        match self.violation(&found, behaviour, updated) {
            None => Ok(found),
            Some(violation) => Err(TheoryError::OutsideNeighbourhood(violation)),
        }
    }

    fn violation(self, found: &Ratios, behaviour: &Policy, updated: &Policy) -> Option<Violation> {
        if let Some((state, action)) = found.gained {
            let probability = updated.probability(state, action);
            return Some(Violation::SupportGained { state, action, probability });
        }
        let (low_state, low_action) = found.inf_at;
        if found.inf == 0.0 {
            let probability = behaviour.probability(low_state, low_action);
            return Some(Violation::SupportLost {
                state: low_state,
                action: low_action,
                probability,
            });
        }
        let (above, below) = (found.sup - self.c, 2.0 - self.c - found.inf);
        if above > RATIO_TOLERANCE * self.c && above >= below {
            let (state, action) = found.sup_at;
            return Some(Violation::RatioAbove {
                state,
                action,
                ratio: found.sup,
                limit: self.c,
                excess: above,
            });
        }
        (below > RATIO_TOLERANCE * (2.0 - self.c)).then_some(Violation::RatioBelow {
            state: low_state,
            action: low_action,
            ratio: found.inf,
            limit: 2.0 - self.c,
            excess: below,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::mdp::MdpParts;
    use super::*;

    fn mdp() -> Mdp {
        Mdp::new(MdpParts {
            states: 3,
            actions: 2,
            transitions: vec![vec![(2, 1.0)]; 6],
            rewards: vec![0.0; 6],
            gamma: 0.9,
            start: 0,
            terminal: vec![false, false, true],
        })
        .unwrap()
    }

    fn policy(table: [f64; 6]) -> Policy {
        Policy::new(3, 2, table.to_vec()).unwrap()
    }

    fn witness(old: [f64; 6], new: [f64; 6]) -> Violation {
        let outcome = Neighbourhood::new(1.5).unwrap().require(&mdp(), &policy(old), &policy(new));
        match outcome.unwrap_err() {
            TheoryError::OutsideNeighbourhood(violation) => violation,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn c_outside_its_range_is_refused() {
        for c in [0.5, 1.0, 2.0, 3.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Neighbourhood::new(c), Err(TheoryError::Range { what: "C", .. })));
        }
    }

    #[test]
    fn the_witness_is_the_largest_violation() {
        let half = [0.5; 6];
        let above = witness(half, [0.5, 0.5, 0.2, 0.8, 0.5, 0.5]);
        assert_eq!(above.place(), (1, 1));
        assert!(
            matches!(above, Violation::RatioAbove { excess, .. } if (excess - 0.1).abs() < 1e-12)
        );
        let old = [0.5, 0.5, 0.1, 0.9, 0.5, 0.5];
        let below = witness(old, [0.5, 0.5, 0.04, 0.96, 0.5, 0.5]);
        assert_eq!(below.place(), (1, 0));
        assert!(
            matches!(below, Violation::RatioBelow { excess, .. } if (excess - 0.1).abs() < 1e-12)
        );
    }

    #[test]
    fn a_change_of_support_is_its_own_witness() {
        let (half, pure) = ([0.5; 6], [0.5, 0.5, 0.0, 1.0, 0.5, 0.5]);
        assert_eq!(
            witness(half, pure),
            Violation::SupportLost { state: 1, action: 0, probability: 0.5 }
        );
        assert_eq!(
            witness(pure, half),
            Violation::SupportGained { state: 1, action: 0, probability: 0.5 }
        );
    }

    #[test]
    fn terminal_rows_do_not_count() {
        let inside = Neighbourhood::new(1.5).unwrap().require(
            &mdp(),
            &policy([0.5; 6]),
            &policy([0.5, 0.5, 0.5, 0.5, 1.0, 0.0]),
        );
        assert_eq!(inside.unwrap().sup, 1.0);
    }
}
