//! Exports the numbers of the page: CSV for spreadsheets, and JSON with everything that is needed
//! to reproduce a number (seed, version, device, full configuration).
//!
//! The columns are derived from the fields of the messages, so a new field is exported, too.

use std::collections::{BTreeMap, BTreeSet};

use deepspi_playground::VERSION;
use deepspi_playground::experiment::{AGENTS, Experiment};
use deepspi_playground::protocol::DeviceReport;
use serde::Serialize;
use serde_json::{Value, json};

use crate::history::History;
use crate::plot::csv_field;

/// Name of the JSON file's format.
const FORMAT: &str = "deepspi-playground-1";
/// The first columns, in this order; the others follow in alphabetical order.
const FIRST: [&str; 4] = ["iteration", "global_step", "start_value", "relative_star_distance"];
/// The field that an iteration and the maze status after it have in common.
const STEP: &str = "global_step";

/// The data to export.
#[derive(Debug)]
pub struct Export<'a> {
    /// The experiment that was trained.
    pub experiment: &'a Experiment,
    /// The device, if it is known.
    pub device: Option<&'a DeviceReport>,
    /// The reports of each agent.
    pub histories: [&'a History; AGENTS],
}

impl Export<'_> {
    /// File name without extension.
    #[must_use]
    pub fn name(&self) -> String {
        let [a, b] = self.experiment.agents.each_ref().map(|agent| agent.algo.name());
        format!("deepspi-{a}-{b}-seed{}", self.experiment.seed())
    }

    /// CSV with a header, one row per agent and iteration, and one row for each agent before its
    /// first iteration. NaN, infinite and missing values are empty.
    #[must_use]
    pub fn csv(&self) -> String {
        let rows: Vec<_> = self.histories.iter().map(|history| rows(history)).collect();
        let known: BTreeSet<&String> = rows.iter().flatten().flat_map(BTreeMap::keys).collect();
        let others = known.into_iter().map(String::as_str).filter(|name| !FIRST.contains(name));
        let columns: Vec<&str> = FIRST.into_iter().chain(others).collect();

        let mut text = format!("agent,algo,seed,{},device,version\n", columns.join(","));
        let device = csv_field(self.device.map_or("", |device| device.name.as_str()));
        for (agent, rows) in rows.iter().enumerate() {
            let config = &self.experiment.agents[agent];
            let start = format!("{},{},{}", ["A", "B"][agent], config.algo.name(), config.seed);
            for row in rows {
                text.push_str(&start);
                for column in &columns {
                    text.push(',');
                    text.push_str(row.get(*column).map_or("", String::as_str));
                }
                text.push_str(&format!(",{device},{VERSION}\n"));
            }
        }
        text
    }

    /// All data as JSON. NaN and infinite values are written as `null`.
    #[must_use]
    pub fn json(&self) -> String {
        let agents: Vec<Value> = (0..AGENTS)
            .map(|agent| {
                json!({
                    "config": value(&self.experiment.agents[agent]),
                    "iterations": value(&self.histories[agent].iterations),
                    "maze": value(&self.histories[agent].maze),
                })
            })
            .collect();
        let all = json!({
            "format": FORMAT,
            "version": VERSION,
            "seed": self.experiment.seed(),
            "device": self.device.map(value),
            "env": self.experiment.env,
            "stochastic": self.experiment.stochastic,
            "maze": value(&self.experiment.maze),
            "atari": value(&self.experiment.atari),
            "agents": agents,
        });
        format!("{all:#}\n")
    }
}

/// The content of a bug report as JSON: the fault, the version, the browser, the device and the
/// configuration.
#[must_use]
pub fn bug_report(
    experiment: &Experiment,
    device: Option<&DeviceReport>,
    browser: &str,
    fault: &str,
) -> String {
    let report = json!({
        "fault": fault,
        "version": VERSION,
        "browser": browser,
        "device": device.map(value),
        "experiment": value(experiment),
    });
    format!("{report:#}\n")
}

/// Converts to JSON with the shortest digits of each number. The conversion goes through text,
/// because turning a single-precision number directly into a [`Value`] adds digits.
fn value<T: Serialize>(of: &T) -> Value {
    let text = serde_json::to_string(of).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// The rows of an agent, in order; each maps column names to values.
fn rows(history: &History) -> Vec<BTreeMap<String, String>> {
    let mut rows: BTreeMap<u64, BTreeMap<String, String>> = BTreeMap::new();
    let maze = history.maze.iter().map(value);
    for entry in history.iterations.iter().map(value).chain(maze) {
        let step = entry.get(STEP).and_then(Value::as_u64).unwrap_or(0);
        flatten("", &entry, rows.entry(step).or_default());
    }
    rows.into_values().collect()
}

/// Adds `a.b` for a field within a field and `a.0` for an entry of a list.
fn flatten(name: &str, value: &Value, row: &mut BTreeMap<String, String>) {
    let inner = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&inner(key), value, row);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                flatten(&inner(&index.to_string()), value, row);
            }
        }
        Value::Null => {
            row.insert(name.to_owned(), String::new());
        }
        Value::String(text) => {
            row.insert(name.to_owned(), csv_field(text));
        }
        Value::Bool(_) | Value::Number(_) => {
            row.insert(name.to_owned(), value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use deepspi_playground::protocol::Event;
    use deepspi_run::message::{Iteration, MazeStatus};
    use deepspi_run::metrics::Metrics;
    use deepspi_run::monitor::RatioBounds;

    use super::*;

    fn history(iterations: u64) -> History {
        let mut history = History::default();
        for index in 0..=iterations {
            let global_step = 512 * index;
            if index > 0 {
                history.push(Event::Iteration(Box::new(Iteration {
                    iteration: index - 1,
                    global_step,
                    learning_rate: 2e-3,
                    last: Metrics::new([("loss", 0.0), ("clip_fraction", 0.1)]),
                    mean: Metrics::default(),
                    explained_variance: f32::NAN,
                    ratios: RatioBounds { sup: 1.1, inf: 0.9, limit: 1.01, premise_holds: false },
                    certificate: None,
                    avg_episodic_return: 0.0,
                    finished_return: None,
                    avg_episodic_length: 0.0,
                    episodes: 0,
                })));
            }
            history.push(Event::Maze(MazeStatus {
                global_step,
                start_value: 4.5,
                star_distance: 0.25,
                relative_star_distance: 0.5,
                up_at_stars: [0.9, 0.1],
            }));
        }
        history
    }

    fn device() -> DeviceReport {
        DeviceReport { name: "Card, \"large\"".to_owned(), ..DeviceReport::default() }
    }

    #[test]
    fn a_row_per_agent_and_iteration_with_a_header() {
        let (experiment, device) = (Experiment::default(), device());
        let histories = [&history(3), &history(1)];
        let export = Export { experiment: &experiment, device: Some(&device), histories };
        let csv = export.csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 1 + 4 + 2, "header, and each agent also before training");
        assert!(lines[0].starts_with("agent,algo,seed,iteration,global_step,start_value,"));
        let columns: Vec<&str> = lines[0].split(',').collect();
        let column = |name: &str| columns.iter().position(|c| *c == name).expect(name);
        // The device's name contains a comma, but its column follows all columns that are read
        // here.
        let cell = |line: usize, name: &str| lines[line].split(',').nth(column(name));
        assert_eq!(cell(1, "iteration"), Some(""), "nothing is trained yet");
        assert_eq!(cell(2, "iteration"), Some("0"));
        assert_eq!(cell(2, "last.clip_fraction"), Some("0.1"));
        assert_eq!(cell(2, "explained_variance"), Some(""));
        assert_eq!(cell(2, "ratios.premise_holds"), Some("false"));
        assert_eq!(cell(6, "up_at_stars.1"), Some("0.1"));
        assert!(lines[6].starts_with("B,deep-spi,1,0,512,4.5,0.5,"), "{}", lines[6]);
        assert!(lines[6].ends_with(&format!(",\"Card, \"\"large\"\"\",{VERSION}")));
        assert_eq!(export.name(), "deepspi-ppo-deep-spi-seed1");
    }

    #[test]
    fn json_holds_what_a_quoted_number_needs() {
        let (experiment, device) = (Experiment::default(), device());
        let histories = [&history(2), &history(0)];
        let export = Export { experiment: &experiment, device: Some(&device), histories };
        let read: Value = serde_json::from_str(&export.json()).expect("valid JSON");
        assert_eq!(read["seed"], 1);
        assert_eq!(read["version"], VERSION);
        assert_eq!(read["device"]["name"], device.name);
        assert_eq!(read["agents"][0]["iterations"][1]["global_step"], 1024);
        assert_eq!(read["agents"][0]["iterations"][0]["explained_variance"], Value::Null);
        assert_eq!(read["agents"][1]["maze"].as_array().map(Vec::len), Some(1));
        let config = read["agents"][0]["config"].clone();
        let config: deepspi_run::config::Config = serde_json::from_value(config).expect("whole");
        assert_eq!(config, experiment.agents[0]);
        assert!(export.json().contains("\"clip_coef\": 0.1,"), "shortest digits");
    }

    #[test]
    fn nothing_trained_is_a_header() {
        let (experiment, empty) = (Experiment::default(), History::default());
        let export = Export { experiment: &experiment, device: None, histories: [&empty, &empty] };
        assert_eq!(export.csv().lines().count(), 1);
        let report = bug_report(&experiment, None, "a browser", "it stopped");
        let report: Value = serde_json::from_str(&report).expect("valid JSON");
        assert_eq!(report["experiment"]["agents"][1]["algo"], "deep-spi");
    }
}
