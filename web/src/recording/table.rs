//! A trajectory as CSV and as JSON.
//!
//! Both have the same columns. In the CSV every row says where it comes from, and the first line is
//! the header, with nothing before it, so that every program can read the file and parts of it. The
//! JSON says it once, and holds one list for each column. NaN, infinite and missing numbers are empty
//! in the CSV and `null` in the JSON.

use std::fmt::Write as _;

use deepspi_playground::play::Chooser;
use deepspi_playground::{REVISION, VERSION};
use deepspi_worlds::atari::AtariOptions;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::source::{Agent, Source};
use super::trajectory::{Row, Trajectory};
use crate::plot::csv_field;

/// Name of the JSON file's format.
const FORMAT: &str = "deepspi-trajectory-1";

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell<'a> {
    Missing,
    Count(u64),
    Whole(i32),
    Real(f32),
    Flag(bool),
    Word(&'a str),
}

impl Cell<'_> {
    fn real(value: Option<f32>) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::Missing, Self::Real)
    }

    fn count(value: Option<u64>) -> Self {
        value.map_or(Self::Missing, Self::Count)
    }

    /// Appends the value as CSV.
    fn write(self, text: &mut String) {
        // Writing to a string cannot fail. `{:?}` has the shortest digits that read back exactly.
        let _written = match self {
            Self::Missing => Ok(()),
            Self::Count(value) => write!(text, "{value}"),
            Self::Whole(value) => write!(text, "{value}"),
            Self::Real(value) => write!(text, "{value:?}"),
            Self::Flag(value) => write!(text, "{value}"),
            Self::Word(value) => write!(text, "{}", csv_field(value)),
        };
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Missing => serializer.serialize_none(),
            Self::Count(value) => serializer.serialize_u64(value),
            Self::Whole(value) => serializer.serialize_i32(value),
            Self::Real(value) => serializer.serialize_f32(value),
            Self::Flag(value) => serializer.serialize_bool(value),
            Self::Word(value) => serializer.serialize_str(value),
        }
    }
}

/// The columns of every trajectory; those of the policy follow.
const COLUMNS: [&str; 21] = [
    "step",
    "game_number",
    "action_index",
    "action",
    "chosen_by",
    "reward",
    "raw_reward",
    "done",
    "terminated",
    "truncated",
    "lives",
    "value",
    "predicted_reward",
    "advantage",
    "utility",
    "reward_loss",
    "transition_loss",
    "importance_ratio",
    "agent",
    "agent_origin",
    "trained_steps",
];

/// The values of a row, in the order of the columns.
fn cells<'a>(row: &'a Row, actions: &[&'a str]) -> Vec<Cell<'a>> {
    let (outcome, seen, terms) = (&row.outcome, row.seen.as_ref(), row.terms.as_ref());
    let index = row.action.and_then(|action| usize::try_from(action).ok());
    let word = |text: Option<&'a str>| text.map_or(Cell::Missing, Cell::Word);
    let agent = row.agent.as_deref();
    let first: [Cell<'_>; COLUMNS.len()] = [
        Cell::Count(row.step),
        Cell::Count(row.game_number),
        Cell::count(row.action.map(u64::from)),
        word(index.and_then(|index| actions.get(index).copied())),
        word(row.chosen_by.map(|chooser| match chooser {
            Chooser::Sampled => "agent, sampled",
            Chooser::Greedy => "agent, greedy",
            Chooser::Person(_) => "person",
        })),
        Cell::real(Some(outcome.reward)),
        Cell::real(Some(outcome.raw_reward)),
        Cell::Flag(outcome.done),
        Cell::Flag(outcome.terminated),
        Cell::Flag(outcome.truncated),
        Cell::Whole(outcome.lives),
        Cell::real(seen.map(|seen| seen.value)),
        Cell::real(seen.and_then(|seen| seen.predicted_reward)),
        Cell::real(terms.map(|terms| terms.advantage)),
        Cell::real(terms.map(|terms| terms.utility)),
        Cell::real(terms.and_then(|terms| terms.reward_loss)),
        Cell::real(terms.and_then(|terms| terms.transition_loss)),
        Cell::real(seen.and_then(|seen| seen.ratio)),
        word(agent.map(|agent| agent.algorithm.as_str())),
        word(agent.map(|agent| agent.origin.as_str())),
        Cell::count(agent.map(|agent| agent.trained_steps)),
    ];
    let policy = (0..actions.len())
        .map(|action| Cell::real(seen.and_then(|seen| seen.policy.get(action).copied())));
    first.into_iter().chain(policy).collect()
}

/// Names of all columns.
fn columns(actions: &[&str]) -> Vec<String> {
    let policy = actions.iter().map(|action| format!("policy: {action}"));
    COLUMNS.into_iter().map(str::to_owned).chain(policy).collect()
}

/// CSV with a header and one row for each step.
#[must_use]
pub fn csv(source: &Source, trajectory: &Trajectory) -> String {
    let actions = source.action_names();
    let names: Vec<_> = columns(&actions).iter().map(|name| csv_field(name)).collect();
    let mut text = names.join(",");
    text.push_str(",game,cartridge_md5,seed,environment,rules,version,revision\n");
    let Source { game, cartridge_md5, seed, environment, rules, .. } = source;
    let origin = format!(
        "{},{cartridge_md5},{seed},{environment},{},{VERSION},{REVISION}\n",
        csv_field(game),
        csv_field(&rules.describe())
    );
    for row in trajectory.rows() {
        for cell in cells(row, &actions) {
            cell.write(&mut text);
            text.push(',');
        }
        text.push_str(&origin);
    }
    text
}

/// The file in JSON.
#[derive(Serialize)]
struct File<'a> {
    format: &'static str,
    version: &'static str,
    revision: &'static str,
    game: &'a str,
    cartridge_md5: &'a str,
    seed: u64,
    environment: u64,
    rules: &'a AtariOptions,
    rules_in_words: String,
    /// The last agent.
    agent: Option<&'a Agent>,
    /// ALE's ids and their names.
    action_ids: &'a [u8],
    actions: &'a [&'static str],
    /// Steps from before the first, which are no longer kept.
    steps_left_out: u64,
    steps: Columns<'a>,
}

/// One list for each column.
struct Columns<'a> {
    names: Vec<String>,
    rows: Vec<Vec<Cell<'a>>>,
}

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for (column, name) in self.names.iter().enumerate() {
            let values: Vec<_> = self.rows.iter().map(|row| row[column]).collect();
            map.serialize_entry(name, &values)?;
        }
        map.end()
    }
}

/// JSON with the origin of the steps, and one list for each column.
#[must_use]
pub fn json(source: &Source, agent: Option<&Agent>, trajectory: &Trajectory) -> String {
    let actions = source.action_names();
    let rows = trajectory.rows().map(|row| cells(row, &actions)).collect();
    let file = File {
        format: FORMAT,
        version: VERSION,
        revision: REVISION,
        game: &source.game,
        cartridge_md5: &source.cartridge_md5,
        seed: source.seed,
        environment: source.environment,
        rules: &source.rules,
        rules_in_words: source.rules.describe(),
        agent,
        action_ids: &source.actions,
        actions: &actions,
        steps_left_out: trajectory.dropped(),
        steps: Columns { names: columns(&actions), rows },
    };
    // Only a map with other keys than texts could fail.
    let mut text = serde_json::to_string(&file).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::trajectory::tests::{agent, step};
    use super::*;

    fn source() -> Source {
        Source {
            game: "Break, \"out\"".into(),
            cartridge_md5: "f34f08e5eb96e500e851a80be3277a56".into(),
            seed: 3,
            environment: 0,
            rules: AtariOptions::default(),
            actions: vec![1, 14],
            rgb: [[0; 3]; 128],
        }
    }

    /// A start, two steps of an agent, one of which is not finite, and one without an agent.
    fn trajectory() -> Trajectory {
        let mut trajectory = Trajectory::new(usize::MAX);
        trajectory.push(&step(1, None), None);
        trajectory.push(&step(2, Some(1)), agent());
        let mut broken = step(3, Some(0));
        if let (Some(seen), Some(terms)) = (&mut broken.seen, &mut broken.terms) {
            seen.value = f32::NAN;
            seen.log_probs = vec![f32::NEG_INFINITY, f32::NAN];
            seen.ratios = Some(vec![f32::INFINITY, 1.0]);
            terms.utility = f32::NEG_INFINITY;
            terms.advantage = 1e-30;
        }
        trajectory.push(&broken, agent());
        let mut person = step(4, Some(1));
        (person.seen, person.terms) = (None, None);
        person.chooser = Some(Chooser::Person(1));
        (person.outcome.reward, person.outcome.lives) = (-1.0, -2);
        trajectory.push(&person, None);
        trajectory
    }

    /// The rows of a CSV, each from names to values, as another program reads them.
    fn read(text: &str) -> Vec<std::collections::HashMap<String, String>> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.deserialize().collect::<Result<_, _>>().expect("valid CSV, all rows equally long")
    }

    #[test]
    fn a_reader_of_csv_gets_back_what_was_recorded() {
        let trajectory = trajectory();
        let text = csv(&source(), &trajectory);
        let rows = read(&text);
        assert_eq!(rows.len(), 4);
        let same = |row: usize, name: &str, wanted: &str| {
            assert_eq!(
                rows[row].get(name).map(String::as_str),
                Some(wanted),
                "{name} of row {row}"
            );
        };
        for (name, wanted) in [
            ("step", "2"),
            ("game_number", "1"),
            ("action_index", "1"),
            ("action", "up-right + fire"),
            ("chosen_by", "agent, sampled"),
            ("reward", "1.0"),
            ("raw_reward", "5.0"),
            ("done", "false"),
            ("lives", "3"),
            ("value", "2.1"),
            ("predicted_reward", "2.0"),
            ("reward_loss", "0.5"),
            ("transition_loss", ""),
            ("importance_ratio", "1.002"),
            ("agent", "deep-spi"),
            ("trained_steps", "4096"),
            ("game", "Break, \"out\""),
            ("cartridge_md5", "f34f08e5eb96e500e851a80be3277a56"),
            ("seed", "3"),
            ("rules", &AtariOptions::default().describe()),
            ("version", VERSION),
        ] {
            same(1, name, wanted);
        }
        for (name, recorded) in [
            ("advantage", 2.0_f32 / 3.0),
            ("utility", 2.0 / 7.0),
            ("policy: fire", 0.25_f32.ln().exp()),
            ("policy: up-right + fire", 0.75_f32.ln().exp()),
        ] {
            assert_eq!(rows[1][name].parse::<f32>(), Ok(recorded), "{name} lost digits");
        }
        for (name, wanted) in [("action", ""), ("chosen_by", ""), ("value", ""), ("agent", "")] {
            same(0, name, wanted);
        }
        same(2, "advantage", "1e-30");
        same(3, "chosen_by", "person");
        same(3, "lives", "-2");
        same(3, "policy: fire", "");
    }

    #[test]
    fn what_is_no_number_is_empty_or_null() {
        let trajectory = trajectory();
        let text = csv(&source(), &trajectory);
        let lower = text.to_lowercase();
        assert!(!lower.contains("nan") && !lower.contains("inf"), "{text}");
        let row = &read(&text)[2];
        for name in ["value", "utility", "importance_ratio", "policy: up-right + fire"] {
            assert_eq!(row[name], "", "{name}");
        }
        assert_eq!(row["policy: fire"], "0.0", "an impossible action has a probability");
        let file: Value = serde_json::from_str(&json(&source(), None, &trajectory)).expect("JSON");
        assert_eq!(file["steps"]["value"][2], Value::Null);
        assert_eq!(file["agent"], Value::Null);
    }

    #[test]
    fn json_has_the_same_columns_and_says_where_they_come_from() {
        let (source, trajectory) = (source(), trajectory());
        let text = json(&source, agent().as_deref(), &trajectory);
        let file: Value = serde_json::from_str(&text).expect("valid JSON");
        for (name, wanted) in [
            ("format", Value::from(FORMAT)),
            ("version", VERSION.into()),
            ("game", source.game.as_str().into()),
            ("cartridge_md5", source.cartridge_md5.as_str().into()),
            ("seed", 3.into()),
            ("steps_left_out", 0.into()),
            ("actions", vec!["fire", "up-right + fire"].into()),
            ("action_ids", vec![1, 14].into()),
        ] {
            assert_eq!(file[name], wanted, "{name}");
        }
        assert_eq!(file["agent"]["trained_steps"], 4096);
        let rules: AtariOptions = serde_json::from_value(file["rules"].clone()).expect("whole");
        assert_eq!(rules, source.rules);
        let columns = file["steps"].as_object().expect("columns");
        assert_eq!(columns.len(), COLUMNS.len() + 2);
        let rows = read(&csv(&source, &trajectory));
        for (name, values) in columns {
            let values = values.as_array().expect("a list");
            assert_eq!(values.len(), rows.len(), "{name}");
            for (value, row) in values.iter().zip(&rows) {
                let text = match value {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let (text, cell) = (text.as_str(), row[name].as_str());
                let equal = text == cell || text.parse::<f32>() == cell.parse::<f32>();
                assert!(equal, "{name}: {text} in JSON, {cell} in CSV");
            }
        }
        assert!(text.contains("\"value\":[null,2.1,null,null]"), "shortest digits");
    }
}
