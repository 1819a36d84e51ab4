//! Figure 4 of the paper: whether each method separates the two stars, and the value that it
//! reaches.

use anyhow::Result;
use deepspi_theory::{evaluate, optimal};
use deepspi_worlds::maze::{Action, Maze};
use serde_json::json;

use super::experiment::{Experiment, Point, Record};
use super::kept_runs::KeptRuns;
use super::layers::{banded, over_training, reference};
use super::methods::{METHODS, all_methods, colour, final_distance, final_value, summary};
use super::output::{Output, describe};
use crate::chart::table::Table;
use crate::chart::{Axis, Figure, Layer, Panel};

/// Values of the two policies that every figure shows for comparison: the optimal policy, and the
/// best policy that treats the stars alike.
pub fn references(experiment: &Experiment) -> Result<[f64; 2]> {
    let maze = Maze::new(experiment.maze, experiment.config.gamma.into())?;
    let mdp = maze.mdp()?;
    let right = maze.policy_with_stars([Action::Right, Action::Right])?;
    Ok([optimal(&mdp)?.values.start_return, evaluate(&mdp, &right)?.start_return])
}

/// `figures maze`.
///
/// # Errors
/// If a run fails.
pub fn make(kept_runs: &KeptRuns, base: &Experiment, seeds: u64) -> Result<Vec<Output>> {
    let records = kept_runs.records("maze", &all_methods(base, seeds))?;
    let [best, right] = references(base)?;
    let mut value = vec![reference("optimum", best), reference("always RIGHT", right)];
    value.extend(curves(&records, |point| point.start_value));
    let panel = |title: &str, y: &str, layers| Panel {
        title: title.into(),
        x: Axis::linear("agent steps"),
        y: Axis::linear(y),
        layers,
        legend: false,
    };
    let maze = base.maze;
    let figure = Figure {
        title: "The maze: value of the policy, and distance of the two critical cells".into(),
        subtitle: Some(format!(
            "n = {}, epsilon = {}, cue = {}, gamma = {}, preset {}; median and 95 % bootstrap band over {seeds} seeds",
            maze.n_path,
            maze.epsilon,
            maze.cue,
            base.config.gamma,
            base.preset()
        )),
        panels: vec![
            panel("V(s_I), exact", "value of the stochastic policy", value),
            panel(
                "Latents of the stars (paper, Fig. 4)",
                "mean squared difference",
                curves(&records, |point| point.star_distance),
            ),
            panel(
                "The same, relative to their length",
                "relative distance",
                curves(&records, |point| point.relative_star_distance),
            ),
        ],
        columns: 3,
        shared_legend: true,
        footnote: Some(end_points(&records)),
    };
    let mut table = Table::new(&[
        "algorithm",
        "seed",
        "iteration",
        "agent_steps",
        "start_value",
        "star_distance",
        "relative_star_distance",
        "reward_loss",
        "transition_loss",
    ]);
    for record in &records {
        let config = &record.experiment.config;
        for point in &record.points {
            table.push(&[
                &config.algo.name(),
                &config.seed,
                &point.iteration,
                &point.global_step,
                &point.start_value,
                &point.star_distance,
                &point.relative_star_distance,
                &point.reward_loss,
                &point.transition_loss,
            ])?;
        }
    }
    let settings = json!({
        "experiment": describe(base),
        "seeds": seeds,
        "optimum": best,
        "always_right": right,
        "device": kept_runs.device().description,
        "seconds_of_all_runs": records.iter().map(|record| record.seconds).sum::<f64>(),
    });
    Ok(vec![Output { name: "maze".into(), figure, table, settings }])
}

/// A line with a band for each method.
pub fn curves(records: &[Record], quantity: impl Fn(&Point) -> f64) -> Vec<Layer> {
    let mut layers = Vec::new();
    for algo in METHODS {
        let runs = records.iter().filter(|record| record.experiment.config.algo == algo);
        let runs = over_training(runs, 0, &quantity);
        if !runs.is_empty() {
            layers.extend(banded(algo.label(), colour(algo), &runs));
        }
    }
    layers
}

/// The final values in words.
pub fn end_points(records: &[Record]) -> String {
    let describe = |algo| {
        let runs: Vec<&Record> =
            records.iter().filter(|record| record.experiment.config.algo == algo).collect();
        let value = summary(&runs.iter().map(|r| final_value(r)).collect::<Vec<_>>())?;
        let distance = summary(&runs.iter().map(|r| final_distance(r)).collect::<Vec<_>>())?;
        Some(format!(
            "{}: V(s_I) {:.2} [{:.2}, {:.2}], relative distance {:.2} [{:.2}, {:.2}]",
            algo.label(),
            value.median,
            value.interval.low,
            value.interval.high,
            distance.median,
            distance.interval.low,
            distance.interval.high
        ))
    };
    let all: Vec<String> = METHODS.into_iter().filter_map(describe).collect();
    format!("At the end (median [95 %]): {}.", all.join("; "))
}
