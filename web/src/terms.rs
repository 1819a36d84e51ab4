//! The texts of the theory room: names and explanations of the terms, and sentences about the
//! current numbers.
//!
//! All numbers come from an [`Assessment`]; this module only turns them into text. If a premise
//! fails, a term without a value is written as a dash, and no sentence may call a bound good that
//! does not exist.

use deepspi_run::maze::{Assessment, FailedPremise, ValuePair};
use deepspi_theory::Terms;
use deepspi_worlds::maze::Maze;

use crate::cells::{ACTION_NAMES, name};
use crate::plot::number;

/// Ratios that differ from 1 by less than this differ only by rounding.
const ROUNDING: f64 = 1e-9;
/// A right side is called loose from this multiple of the left side on.
const LOOSE: f64 = 10.0;

/// A term in the right sides of the theorems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Discount.
    Gamma,
    /// Average episode length.
    Ael,
    /// Mean error of the predicted reward.
    RewardLoss,
    /// Mean error of the predicted successor.
    TransitionLoss,
    /// Lipschitz constant of the predicted reward.
    RewardLipschitz,
    /// Lipschitz constant of the predicted transition.
    TransitionLipschitz,
    /// Lipschitz constant of the values.
    ValueLipschitz,
    /// Largest importance ratio.
    Ratio,
    /// Limit of the largest importance ratio.
    RatioLimit,
}

impl Term {
    /// All terms, in the order in which they are explained.
    pub const ALL: [Self; 9] = [
        Self::Ratio,
        Self::RatioLimit,
        Self::Gamma,
        Self::Ael,
        Self::RewardLoss,
        Self::TransitionLoss,
        Self::RewardLipschitz,
        Self::TransitionLipschitz,
        Self::ValueLipschitz,
    ];

    /// The symbol and its subscript.
    #[must_use]
    pub const fn symbol(self) -> [&'static str; 2] {
        match self {
            Self::Gamma => ["γ", ""],
            Self::Ael => ["AEL", ""],
            Self::RewardLoss => ["L", "R"],
            Self::TransitionLoss => ["L", "P"],
            Self::RewardLipschitz => ["K", "R"],
            Self::TransitionLipschitz => ["K", "P"],
            Self::ValueLipschitz => ["K", "V"],
            Self::Ratio => ["SIR", ""],
            Self::RatioLimit => ["1/γ", ""],
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gamma => "discount",
            Self::Ael => "average episode length",
            Self::RewardLoss => "reward loss",
            Self::TransitionLoss => "transition loss",
            Self::RewardLipschitz => "smoothness of rewards",
            Self::TransitionLipschitz => "smoothness of transitions",
            Self::ValueLipschitz => "smoothness of values",
            Self::Ratio => "largest importance ratio",
            Self::RatioLimit => "limit of SIR",
        }
    }

    /// Explanation in one or two sentences.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Gamma => {
                "The weight of a reward one step later. The nearer to 1, the less an update may \
                 change the policy."
            }
            Self::Ael => {
                "Steps that an episode of the old policy takes on average. Errors of the model add \
                 up over them."
            }
            Self::RewardLoss => {
                "By how much the model's reward is wrong, on average over the states and actions of \
                 the old policy."
            }
            Self::TransitionLoss => {
                "How far the next latents that the model predicts are from the true ones \
                 (Wasserstein distance), on average over the states and actions of the old policy."
            }
            Self::RewardLipschitz => {
                "How much the model's expected reward changes, at most, per distance between two \
                 latents."
            }
            Self::TransitionLipschitz => {
                "The largest factor by which one step changes the distance between two latents. \
                 Times γ it must stay below 1."
            }
            Self::ValueLipschitz => {
                "How much the value changes, at most, per distance between two latents: \
                 K_R / (1 − γ K_P). It exists only where γ K_P is below 1."
            }
            Self::Ratio => {
                "The largest factor by which the update has multiplied the probability of an action, \
                 over all states, visited or not."
            }
            Self::RatioLimit => {
                "If SIR reaches this limit, the old policy's data say too little about the new \
                 policy, and the right sides do not exist."
            }
        }
    }

    /// Its value; NaN if it has none. `terms` are the terms of one theorem.
    #[must_use]
    pub fn value(self, found: &Assessment, terms: Option<&Terms>) -> f64 {
        let of_model = |value: fn(&Terms) -> f64| terms.map_or(f64::NAN, value);
        match self {
            Self::Gamma => found.gamma,
            Self::Ael => found.average_episode_length.unwrap_or(f64::NAN),
            Self::RewardLoss => of_model(|terms| terms.l_r),
            Self::TransitionLoss => of_model(|terms| terms.l_p),
            Self::RewardLipschitz => of_model(|terms| terms.k_r),
            Self::TransitionLipschitz => of_model(|terms| terms.k_p),
            Self::ValueLipschitz => of_model(|terms| terms.k_v.unwrap_or(f64::NAN)),
            // Rounding can leave the ratio of equal policies just below 1.
            Self::Ratio => found.ratios.sup.max(1.0),
            Self::RatioLimit => found.limit,
        }
    }

    /// Its value as text. Terms that are compared near 1 have four decimal places.
    #[must_use]
    pub fn text(self, found: &Assessment, terms: Option<&Terms>) -> String {
        let value = self.value(found, terms);
        match self {
            Self::Gamma | Self::Ratio | Self::RatioLimit if value < 10.0 => format!("{value:.4}"),
            _ => number(value),
        }
    }
}

/// Whether the old and the new policy are equal.
#[must_use]
pub fn stood_still(found: &Assessment) -> bool {
    found.ratios.sup < 1.0 + ROUNDING && found.ratios.inf > 1.0 - ROUNDING
}

/// Whether the agent has a world model.
#[must_use]
pub fn has_model(found: &Assessment) -> bool {
    !found.theorem_two.failed.contains(&FailedPremise::NoWorldModel)
}

/// A failed premise as a sentence.
#[must_use]
pub fn sentence(failed: &FailedPremise) -> String {
    let text = failed.to_string();
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// Compares the size of the update with the limit of the theorems.
#[must_use]
pub fn reading_of_step(found: &Assessment, maze: &Maze) -> String {
    let limit = Term::RatioLimit.text(found, None);
    let allowed = format!(
        "With γ = {} no probability may grow by more than {} %: SIR must stay below 1/γ = {limit}.",
        number(found.gamma),
        number((found.limit - 1.0) * 100.0),
    );
    if stood_still(found) {
        return format!("{allowed} Old and new policy are the same, so SIR = 1.");
    }
    let (state, action) = found.ratios.sup_at;
    let sir = Term::Ratio.text(found, None);
    let verdict = if found.ratios.sup < found.limit { "small enough" } else { "too large" };
    let action = ACTION_NAMES.get(action).copied().unwrap_or("?");
    format!(
        "{allowed} The last update multiplied the probability of “{action}” ({}) by SIR = {sir}, more \
         than any other. The step was {verdict}.",
        name(maze, state),
    )
}

/// Theorem 2 with the current numbers.
#[must_use]
pub fn reading_two(found: &Assessment) -> String {
    let Some(two) = &found.theorem_two.numbers else {
        return format!(
            "In the maze the policy earns {}. There is nothing to compare that with.",
            number(found.return_after)
        );
    };
    let seen = format!(
        "In the maze the policy earns {}, in the world model {}. They differ by {}.",
        number(two.return_true),
        number(two.return_model),
        number(two.gap),
    );
    let Some(right) = two.right_hand_side else {
        return format!("{seen} A premise fails, so the theorem sets no limit to that.");
    };
    let tight = two.tight.map_or_else(String::new, |tight| {
        format!(
            " A tighter form from the same proof, SIR · AEL · (L_R + γ K_V L_P), allows {}.",
            number(tight)
        )
    });
    format!("{seen} The theorem allows {}. {}{tight}", number(right), looseness(two.gap, right))
}

/// Compares the right side of a bound with its left side.
fn looseness(left: f64, right: f64) -> String {
    let times = right / left;
    if !times.is_finite() {
        return "The bound holds; the left side is 0.".to_owned();
    }
    if times < LOOSE {
        return format!("The bound holds and is near: {} times the left side.", number(times));
    }
    format!("The bound holds, but is loose: {} times the left side.", number(times))
}

/// Theorem 3 with the current numbers.
#[must_use]
pub fn reading_three(found: &Assessment) -> String {
    let Some(three) = &found.theorem_three.numbers else {
        return format!(
            "The update changed the return in the maze by {}. The theorem promises nothing about it.",
            number(found.return_after - found.return_before)
        );
    };
    let seen = format!(
        "The update changed the return by {} in the maze and by {} in the world model.",
        number(three.improvement_true),
        number(three.improvement_model),
    );
    let Some(guaranteed) = three.guaranteed() else {
        return format!("{seen} A premise fails, so nothing is promised.");
    };
    if guaranteed >= 0.0 {
        return format!("{seen} An improvement of {} was promised.", number(guaranteed));
    }
    format!(
        "{seen} The theorem only promised a change of at least {}: the promise was kept, but ζ is \
         so large that it says little.",
        number(guaranteed)
    )
}

/// Theorem 4 with the current numbers.
#[must_use]
pub fn reading_four(found: &Assessment) -> String {
    let stars = format!(
        "The values of the two stars differ by {}; their latents are {} apart.",
        number(found.stars.value_gap),
        number(found.stars.distance),
    );
    let Some(four) = &found.theorem_four.numbers else { return stars };
    let allowed = four.terms.k_v.map_or_else(String::new, |k_v| {
        let allowed = found.stars.allowed(k_v, four.epsilon);
        let verdict =
            if found.stars.value_gap > allowed { "less than they differ" } else { "enough" };
        format!(" That distance allows a difference of {}, {verdict}.", number(allowed))
    });
    let mass = four.violating_mass.map_or_else(String::new, |mass| {
        format!(" Pairs that differ by more than allowed have probability {}.", number(mass))
    });
    let bound = match four.delta {
        None => " A premise fails, so the theorem sets no limit to that.".to_owned(),
        Some(delta) if delta >= 1.0 => format!(
            " The theorem says at most δ = {}. No probability exceeds 1, so that says nothing.",
            number(delta)
        ),
        Some(delta) => format!(" The theorem says at most δ = {}.", number(delta)),
    };
    format!("{stars}{allowed}{mass}{bound}")
}

/// The pairs of states whose values differ most relative to the distance of their latents, worst
/// first. The pair of the stars is left out.
#[must_use]
pub fn worst_pairs(found: &Assessment, count: usize) -> Vec<ValuePair> {
    let four = found.theorem_four.numbers.as_ref();
    let allowed = four.and_then(|four| Some((four.terms.k_v?, four.epsilon)));
    let excess = |pair: &ValuePair| match allowed {
        Some((k_v, epsilon)) => pair.value_gap - pair.allowed(k_v, epsilon),
        None => pair.value_gap / pair.distance,
    };
    let same = |pair: &ValuePair| {
        let [first, second] = found.stars.states;
        pair.states.contains(&first) && pair.states.contains(&second)
    };
    let mut pairs: Vec<_> = found.pairs.iter().filter(|pair| !same(pair)).copied().collect();
    pairs.sort_by(|a, b| excess(b).total_cmp(&excess(a)));
    pairs.truncate(count);
    pairs
}

#[cfg(test)]
mod tests {
    use deepspi_run::maze::Judged;
    use deepspi_theory::{Premise, Ratios, TheoremFour, TheoremThree, TheoremTwo};
    use deepspi_worlds::maze::MazeConfig;

    use super::*;

    fn pair(states: [usize; 2], value_gap: f64, distance: f64) -> ValuePair {
        ValuePair { states, probability: Some(0.01), value_gap, distance }
    }

    fn assessment(sir: f64, model: bool) -> Assessment {
        let gamma = 0.9;
        let found =
            Ratios { sup: sir, sup_at: (7, 3), inf: 2.0 - sir, inf_at: (7, 0), gained: None };
        let failures = Premise::failures(&found, gamma, None);
        let premise = failures.first().copied().unwrap_or(Premise::Holds);
        let terms = Terms {
            gamma,
            ael: 8.0,
            l_r: 0.01,
            l_p: 0.1,
            k_r: 0.2,
            k_p: 1.0,
            k_v: Some(2.0),
            sir,
            premise,
        };
        let none = (!model).then_some(FailedPremise::NoWorldModel);
        let failed = || {
            let of_theorem = failures.iter().copied().map(FailedPremise::Theorem);
            none.into_iter().chain(of_theorem).collect::<Vec<_>>()
        };
        let right = terms.theorem_two();
        Assessment {
            gamma,
            ratios: found,
            limit: 1.0 / gamma,
            average_episode_length: Some(8.0),
            return_before: 1.0,
            return_after: 1.25,
            latents: 16,
            moved: None,
            theorem_two: Judged {
                numbers: model.then_some(TheoremTwo {
                    terms,
                    return_true: 1.25,
                    return_model: 1.0,
                    gap: 0.25,
                    gap_error: 0.0,
                    right_hand_side: right,
                    tight: terms.tight(),
                    state_gap: 0.1,
                    state_bound: terms.state_average(),
                }),
                failed: failed(),
            },
            theorem_three: Judged {
                numbers: model.then_some(TheoremThree {
                    terms,
                    improvement_true: 0.25,
                    improvement_model: 0.5,
                    error: 0.0,
                    zeta: right.map(|right| 2.0 * right),
                    zeta_tight: None,
                }),
                failed: failed(),
            },
            theorem_four: Judged {
                numbers: model.then_some(TheoremFour {
                    terms,
                    epsilon: 0.1,
                    delta: terms.state_average().map(|bound| 20.0 * bound),
                    violating_mass: Some(0.02),
                }),
                failed: failed(),
            },
            stars: pair([5, 9], 3.0, 0.5),
            pairs: vec![
                pair([5, 9], 3.0, 0.5),
                pair([1, 2], 0.1, 0.5),
                pair([1, 3], 2.5, 1.0),
                pair([2, 3], 2.0, 0.25),
            ],
        }
    }

    #[test]
    fn sentences_say_what_the_numbers_say() {
        let small = assessment(1.05, true);
        assert!(reading_two(&small).contains("differ by 0.25. The theorem allows 32.2."));
        assert!(reading_two(&small).contains("loose: 129 times"), "{}", reading_two(&small));
        assert!(reading_three(&small).contains("at least −64:"), "{}", reading_three(&small));
        let four = reading_four(&small);
        assert!(four.contains("allows a difference of 1.1, less than they differ"), "{four}");
        assert!(four.contains("No probability exceeds 1"), "{four}");
        let large = assessment(1.2, true);
        for text in [reading_two(&large), reading_three(&large), reading_four(&large)] {
            assert!(text.contains("A premise fails"), "{text}");
        }
        let none = assessment(1.2, false);
        assert!(!has_model(&none) && has_model(&large));
        assert!(reading_three(&none).contains("in the maze by 0.25"));
        assert!(
            looseness(0.0, 1.0).contains("left side is 0") && looseness(1.0, 2.0).contains("near")
        );
    }

    #[test]
    fn the_step_is_judged_by_its_largest_ratio_and_place() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.9).expect("valid");
        let large = reading_of_step(&assessment(1.2, false), &maze);
        assert!(large.contains("“right” (start) by SIR = 1.2000") && large.contains("too large"));
        assert!(large.contains("more than 11.1 %"), "{large}");
        assert!(reading_of_step(&assessment(1.05, true), &maze).contains("small enough"));
        let still = assessment(1.0, true);
        assert!(stood_still(&still) && reading_of_step(&still, &maze).contains("SIR = 1."));
        let premise = &assessment(1.2, false).theorem_two.failed[0];
        assert_eq!(sentence(premise), "The agent has no world model.");
    }

    #[test]
    fn terms_without_meaning_are_dashes() {
        let none = assessment(1.05, false);
        let texts = Term::ALL.map(|term| term.text(&none, None));
        assert_eq!(texts, ["1.0500", "1.1111", "0.9000", "8", "–", "–", "–", "–", "–"]);
        let two = assessment(1.05, true);
        let terms = two.theorem_two.numbers.as_ref().map(|two| &two.terms);
        assert!(Term::ALL.iter().all(|term| term.value(&two, terms).is_finite()));
    }

    #[test]
    fn the_worst_pairs_come_first_and_the_stars_are_not_among_them() {
        let states = |found: &Assessment| worst_pairs(found, 2).into_iter().map(|p| p.states);
        // 2.0 - (0.5 + 0.1) against 2.5 - (2.0 + 0.1).
        assert!(states(&assessment(1.05, true)).eq([[2, 3], [1, 3]]));
        assert!(states(&assessment(1.05, false)).eq([[2, 3], [1, 3]]));
    }
}
