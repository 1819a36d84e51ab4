//! One state with three actions: its policy, the neighbourhood of the policy, and the exact step.
//!
//! The state is an MDP of its own whose episodes have one action. So ratios, membership in the
//! neighbourhood and the step are computed by the same functions of `deepspi_theory` as for any
//! other MDP.

use deepspi_theory::{
    Mdp, MdpParts, Neighbourhood, Policy, Ratios, TheoryError, Violation, evaluate, ratios,
};

use crate::simplex::{ACTIONS, Distribution};

/// Index of the state; its action ends the episode.
const STATE: usize = 0;
const STATES: usize = 2;

/// All orders of the actions, as scores. Two successive orders (also the last and the first) differ
/// by one exchange. The exact step for these scores goes through the corners of the neighbourhood,
/// one after another: each corner maximises the scores of one sixth of all directions.
const ORDERS: [[f64; ACTIONS]; 6] = [
    [2.0, 1.0, 0.0],
    [1.0, 2.0, 0.0],
    [0.0, 2.0, 1.0],
    [0.0, 1.0, 2.0],
    [1.0, 0.0, 2.0],
    [2.0, 0.0, 1.0],
];

/// The user's settings for the state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneState {
    /// The policy pi that collected the data.
    pub behaviour: Distribution,
    /// The policy pi' that is compared with pi.
    pub target: Distribution,
    /// `Q(s, a)`.
    pub values: [f64; ACTIONS],
}

impl Default for OneState {
    /// By default pi' is slightly outside the neighbourhood, and the advantages point in another
    /// direction.
    fn default() -> Self {
        Self { behaviour: [0.3, 0.3, 0.4], target: [0.15, 0.55, 0.3], values: [0.2, -0.6, 1.0] }
    }
}

/// The results of the theory for the state.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// `pi'(a) / pi(a)`; none for an action that pi never takes.
    pub ratio: [Option<f64>; ACTIONS],
    /// Largest and smallest ratio.
    pub ratios: Ratios,
    /// How pi' violates the neighbourhood; none if it is inside.
    pub violation: Option<Violation>,
    /// Whether Theorems 2 and 3 have a right side for pi': the largest ratio is below `1 / gamma`,
    /// and pi' takes no action that pi never takes.
    pub premise_holds: bool,
    /// Corners of `N^C(pi)` in order; some may coincide.
    pub corners: [Distribution; 6],
    /// Corners of the neighbourhood of radius `1 / gamma`; none if that is 2 or more, because no
    /// neighbourhood is that large.
    pub limit: Option<[Distribution; 6]>,
    /// `A(s, a)` under pi.
    pub advantage: [f64; ACTIONS],
    /// The exact step: the best policy of `N^C(pi)`.
    pub best: Distribution,
    /// `best(a) / pi(a)`; none for an action that pi never takes.
    pub best_ratio: [Option<f64>; ACTIONS],
    /// `V(s)` of pi, of pi' and of the exact step.
    pub value: [f64; 3],
}

impl OneState {
    /// Computes the results of the theory for this `C` and discount.
    ///
    /// # Errors
    /// [`TheoryError`] for a `C` outside `(1, 2)`, a discount outside `(0, 1)`, or policies that
    /// are not distributions.
    pub fn findings(&self, c: f64, gamma: f64) -> Result<Findings, TheoryError> {
        let mdp = self.mdp(gamma)?;
        let (behaviour, target) = (policy(self.behaviour)?, policy(self.target)?);
        let neighbourhood = Neighbourhood::new(c)?;
        let ratios = ratios(&mdp, &behaviour, &target)?;
        let violation = match neighbourhood.require(&mdp, &behaviour, &target) {
            Ok(_) => None,
            Err(TheoryError::OutsideNeighbourhood(violation)) => Some(violation),
            Err(error) => return Err(error),
        };
        let values = evaluate(&mdp, &behaviour)?;
        let best = neighbourhood.step(&mdp, &behaviour, &values.advantage)?;
        let limit = match Neighbourhood::new(1.0 / gamma) {
            Ok(limit) => Some(corners(limit, &mdp, &behaviour)?),
            Err(_) => None,
        };
        Ok(Findings {
            ratio: ratio_rows(&behaviour, &target),
            premise_holds: ratios.sup < 1.0 / gamma && ratios.gained.is_none(),
            ratios,
            violation,
            corners: corners(neighbourhood, &mdp, &behaviour)?,
            limit,
            advantage: first_row(&values.advantage),
            value: [
                values.start_return,
                evaluate(&mdp, &target)?.start_return,
                evaluate(&mdp, &best)?.start_return,
            ],
            best: first_row(best.table()),
            best_ratio: ratio_rows(&behaviour, &best),
        })
    }

    fn mdp(&self, gamma: f64) -> Result<Mdp, TheoryError> {
        Mdp::new(MdpParts {
            states: STATES,
            actions: ACTIONS,
            transitions: vec![vec![(STATE + 1, 1.0)]; STATES * ACTIONS],
            rewards: [self.values, [0.0; ACTIONS]].concat(),
            gamma,
            start: STATE,
            terminal: vec![false, true],
        })
    }
}

/// Corners of the neighbourhood of a policy in one state, in order.
fn corners(
    neighbourhood: Neighbourhood,
    mdp: &Mdp,
    behaviour: &Policy,
) -> Result<[Distribution; 6], TheoryError> {
    let mut corners = [[0.0; ACTIONS]; 6];
    for (corner, order) in corners.iter_mut().zip(ORDERS) {
        let scores = [order, [0.0; ACTIONS]].concat();
        *corner = first_row(neighbourhood.step(mdp, behaviour, &scores)?.table());
    }
    Ok(corners)
}

fn policy(row: Distribution) -> Result<Policy, TheoryError> {
    Policy::new(STATES, ACTIONS, [row, [1.0 / ACTIONS as f64; ACTIONS]].concat())
}

/// The ratio of each action in the state.
fn ratio_rows(old: &Policy, new: &Policy) -> [Option<f64>; ACTIONS] {
    std::array::from_fn(|action| {
        let (old, new) = (old.probability(STATE, action), new.probability(STATE, action));
        (old > 0.0).then(|| new / old)
    })
}

fn first_row(table: &[f64]) -> [f64; ACTIONS] {
    std::array::from_fn(|action| table[action])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(behaviour: Distribution, target: Distribution, c: f64, gamma: f64) -> Findings {
        let state = OneState { behaviour, target, ..OneState::default() };
        state.findings(c, gamma).expect("valid")
    }

    /// Twice the signed area of the triangle.
    fn turn([a, b, c]: [Distribution; 3]) -> f64 {
        (b[1] - a[1]) * (c[2] - a[2]) - (b[2] - a[2]) * (c[1] - a[1])
    }

    #[test]
    fn the_corners_are_on_the_border_in_convex_order() {
        for (behaviour, c) in
            [([0.3, 0.3, 0.4], 1.25), ([0.8, 0.15, 0.05], 1.9), ([0.5, 0.5, 0.0], 1.5)]
        {
            let corners = findings(behaviour, behaviour, c, 0.9).corners;
            for i in 0..6 {
                let found = findings(behaviour, corners[i], c, 0.9);
                assert_eq!(found.violation, None, "{found:?}");
                // A corner is on the border: up to rounding, some ratio is at a limit.
                assert!(found.ratios.sup > c - 1e-9 || found.ratios.inf < 2.0 - c + 1e-9);
                assert!(turn([corners[i], corners[(i + 1) % 6], corners[(i + 2) % 6]]) > -1e-12);
            }
        }
    }

    #[test]
    fn no_corner_is_better_than_the_step_and_beyond_the_corners_is_outside() {
        let found = findings([0.2, 0.3, 0.5], [0.3, 0.3, 0.4], 1.4, 0.9);
        let value = |p: Distribution| {
            let state = OneState { target: p, ..OneState::default() };
            state.findings(1.4, 0.9).expect("valid").value[1]
        };
        assert!(found.corners.iter().all(|corner| value(*corner) <= found.value[2] + 1e-12));
        for corner in found.corners {
            let beyond = std::array::from_fn(|i| {
                let centre = [0.2, 0.3, 0.5][i];
                centre + 1.01 * (corner[i] - centre)
            });
            assert!(findings([0.2, 0.3, 0.5], beyond, 1.4, 0.9).violation.is_some());
        }
    }

    #[test]
    fn premise_and_membership_are_two_things() {
        // The target is inside N^1.5, but its ratio of 1.4 is above 1 / 0.9.
        let found = findings([0.5, 0.25, 0.25], [0.4, 0.25, 0.35], 1.5, 0.9);
        assert!(found.violation.is_none() && !found.premise_holds);
        assert!(found.limit.is_some());
        assert!(findings([0.5, 0.25, 0.25], [0.4, 0.25, 0.35], 1.1, 0.6).premise_holds);
        assert_eq!(findings([0.5, 0.25, 0.25], [0.5, 0.25, 0.25], 1.1, 0.4).limit, None);
    }

    #[test]
    fn a_new_action_has_no_ratio_and_breaks_the_premise() {
        let found = findings([0.5, 0.5, 0.0], [0.5, 0.4, 0.1], 1.5, 0.6);
        assert_eq!(found.ratio[2], None);
        assert!(matches!(found.violation, Some(Violation::SupportGained { action: 2, .. })));
        assert!(!found.premise_holds);
    }
}
