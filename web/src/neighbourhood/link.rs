//! The settings of room 1 that differ from the defaults, as entries of a link such as `nb.c=1.5`.
//!
//! An entry is accepted only if a control of the room could have set it, so a link cannot set
//! anything that a user could not set by hand.

use super::{STEPS, Settings, range};
use crate::simplex::{ACTIONS, Distribution};

/// Prefix of the entries' keys.
const PART: &str = "nb.";
/// The sum of a policy's probabilities may differ from 1 by this rounding error.
const ROUNDING: f64 = 1e-9;

/// A setting that is a number.
struct Number {
    key: &'static str,
    range: [f64; 2],
    of: fn(&mut Settings) -> &mut f64,
}

/// A setting of three numbers: a policy, or the values of the actions.
struct Row {
    key: &'static str,
    is_policy: bool,
    of: fn(&mut Settings) -> &mut [f64; ACTIONS],
}

const NUMBERS: [Number; 6] = [
    Number { key: "c", range: range::C, of: |s| &mut s.c },
    Number { key: "gamma", range: range::GAMMA, of: |s| &mut s.gamma },
    Number { key: "data", range: range::DATA, of: |s| &mut s.example.steps_per_iteration },
    Number { key: "trap_c", range: range::TRAP_C, of: |s| &mut s.example.c },
    Number { key: "epsilon", range: range::EPSILON, of: |s| &mut s.example.epsilon },
    Number { key: "belief", range: range::BELIEF, of: |s| &mut s.example.hallucinated_reward },
];

const ROWS: [Row; 3] = [
    Row { key: "policy", is_policy: true, of: |s| &mut s.state.behaviour },
    Row { key: "target", is_policy: true, of: |s| &mut s.state.target },
    Row { key: "values", is_policy: false, of: |s| &mut s.state.values },
];

const SEED: &str = "world";
const STEP: &str = "step";

/// Keys and values of the settings that differ from the defaults.
#[must_use]
pub fn entries(settings: &Settings) -> Vec<(String, String)> {
    let (mut settings, mut default) = (*settings, Settings::default());
    let mut entries = Vec::new();
    let mut push = |key: &str, value: String| entries.push((format!("{PART}{key}"), value));
    for Number { key, of, .. } in NUMBERS {
        let value = *of(&mut settings);
        if value != *of(&mut default) {
            push(key, value.to_string());
        }
    }
    for Row { key, of, .. } in ROWS {
        let values = *of(&mut settings);
        if values != *of(&mut default) {
            push(key, values.map(|x| x.to_string()).join(","));
        }
    }
    if settings.seed != default.seed {
        push(SEED, settings.seed.to_string());
    }
    if settings.step != default.step {
        push(STEP, settings.step.to_string());
    }
    entries
}

/// Applies one entry; none if the key is unknown, or if no control could have set the value.
#[must_use]
pub fn apply(settings: &mut Settings, key: &str, value: &str) -> Option<()> {
    let key = key.strip_prefix(PART)?;
    let number = |text: &str, [low, high]: [f64; 2]| {
        text.parse().ok().filter(|x: &f64| (low..=high).contains(x))
    };
    if let Some(Number { range, of, .. }) = NUMBERS.iter().find(|number| number.key == key) {
        *of(settings) = number(value, *range)?;
    } else if let Some(Row { is_policy, of, .. }) = ROWS.iter().find(|row| row.key == key) {
        let range = if *is_policy { [0.0, 1.0] } else { range::VALUE };
        let numbers: Option<Vec<f64>> = value.split(',').map(|x| number(x, range)).collect();
        let row = Distribution::try_from(numbers?).ok()?;
        if *is_policy && (row.iter().sum::<f64>() - 1.0).abs() > ROUNDING {
            return None;
        }
        *of(settings) = row;
    } else if key == SEED {
        settings.seed = value.parse().ok().filter(|seed| *seed <= range::LARGEST_SEED)?;
    } else if key == STEP {
        settings.step = value.parse().ok().filter(|step| *step <= STEPS)?;
    } else {
        return None;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_can_be_set_survives_and_the_default_is_nothing() {
        assert_eq!(entries(&Settings::default()), []);
        let mut changed = Settings { c: 1.7, gamma: 0.55, seed: 9, step: 12, ..Default::default() };
        changed.state.behaviour = [0.1, 0.2, 0.7];
        changed.state.target = [1.0 / 3.0; 3];
        changed.state.values = [-2.0, 0.1, 2.0];
        changed.example.steps_per_iteration = 20.0;
        changed.example.c = 1.04;
        changed.example.epsilon = 0.3;
        changed.example.hallucinated_reward = -3.5;
        let entries = entries(&changed);
        assert_eq!(entries.len(), NUMBERS.len() + ROWS.len() + 2);
        let mut found = Settings::default();
        for (key, value) in entries {
            apply(&mut found, &key, &value).expect("its own entry");
        }
        assert_eq!(found, changed);
    }

    #[test]
    fn what_no_control_sets_is_refused() {
        let mut settings = Settings::default();
        for (key, value) in [
            ("nb.c", "2"),
            ("nb.c", "NaN"),
            ("nb.gamma", "inf"),
            ("nb.policy", "0.5,0.5"),
            ("nb.policy", "0.5,0.6,0.5"),
            ("nb.target", "1.5,-0.5,0"),
            ("nb.values", "0,0,9"),
            ("nb.world", "-1"),
            ("nb.step", "41"),
            ("nb.", "1"),
            ("c", "1.5"),
        ] {
            assert_eq!(apply(&mut settings, key, value), None, "{key}={value}");
        }
        assert_eq!(settings, Settings::default());
    }
}
