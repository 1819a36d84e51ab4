//! Charts of the training of both agents.

use std::sync::Arc;

use deepspi_run::config::Config;
use deepspi_run::message::{Iteration, MazeStatus};
use deepspi_theory::{evaluate, optimal};
use deepspi_worlds::maze::{Action, Maze};
use leptos::prelude::*;

use super::signals::MazeSignals;
use crate::history::History;
use crate::page::charts::LineChart;
use crate::plot::{Dash, Reference, Series, YAxis};

/// Colours of the agents in all charts.
const COLOURS: [&str; 2] = ["var(--agent-0)", "var(--agent-1)"];
const DASHES: [Dash; 2] = [Dash::Solid, Dash::Dashed];
const X_LABEL: &str = "agent steps";

/// All charts.
#[component]
pub fn Curves(shown: MazeSignals) -> impl IntoView {
    let x_range = Signal::derive(move || {
        shown.playground().opened.with(|experiment| {
            let longest = experiment.agents.iter().map(Config::whole_steps).max();
            longest.map(|steps| [0.0, steps as f64])
        })
    });
    let of_maze = move |value: fn(&MazeStatus) -> f64| {
        series(shown, move |_, history| points(&history.maze, |s| [s.global_step as f64, value(s)]))
    };
    let of_update = move |value: fn(&Iteration) -> f64| {
        series(shown, move |_, history| {
            points(&history.iterations, |i| [i.global_step as f64, value(i)])
        })
    };
    // PPO has no world model, so these losses do not exist (they are not 0).
    let of_model = move |value: fn(&Iteration) -> f64| {
        series(shown, move |config, history| {
            let used = if config.uses_world_model() { &*history.iterations } else { &[] };
            points(used, |i| [i.global_step as f64, value(i)])
        })
    };
    let values = references(shown, |maze, _| {
        let mdp = maze.mdp().ok()?;
        let right = maze.policy_with_stars([Action::Right, Action::Right]).ok()?;
        let best = optimal(&mdp).ok()?.values.v[maze.start()];
        let right = evaluate(&mdp, &right).ok()?.v[maze.start()];
        Some(vec![("optimum", best), ("always right", right)])
    });
    let limit = references(shown, |_, config| Some(vec![("1/γ", 1.0 / f64::from(config.gamma))]));
    view! {
        <div class="charts">
            <LineChart
                title="Value at the start"
                x_label=X_LABEL
                y_label="V(s_I), exact"
                series=of_maze(|status| status.start_value)
                references=values
                x_range
            >
                "Look for a curve that stays at “always right”: that agent does not tell the stars apart. \
                 At the optimum it goes up at the upper star only."
            </LineChart>
            <LineChart
                title="Distance of the two stars"
                x_label=X_LABEL
                y_label="distance of their latents, relative to their length"
                series=of_maze(|status| status.relative_star_distance)
                y_axis=YAxis::FromZero
                x_range
            >
                "At 0 the encoder has merged the two stars, and no policy on top of it can tell them apart."
            </LineChart>
            <LineChart
                title="Importance ratio"
                x_label=X_LABEL
                y_label="largest ratio new / old policy (log)"
                series=of_update(|iteration| iteration.ratios.sup.into())
                references=limit
                y_axis=YAxis::Log
                x_range
            >
                "The theorems need this below 1/γ. With the usual settings that holds in about 1 % of the \
                 iterations; in the others the theorems promise nothing."
            </LineChart>
            <LineChart
                title="Clip fraction"
                x_label=X_LABEL
                y_label="share of samples outside the clip range"
                series=of_update(|iteration| mean(iteration, "clip_fraction"))
                y_axis=YAxis::FromZero
                x_range
            >
                "How often the clip limits a step. About 0.05 to 0.2 is healthy; above 0.3 the \
                 steps are too large."
            </LineChart>
            <LineChart
                title="Reward loss"
                x_label=X_LABEL
                y_label="mean l_R of the batch"
                series=of_model(|iteration| mean(iteration, "reward_loss"))
                y_axis=YAxis::FromZero
                x_range
            >
                "The error of the reward that the world model predicts. It jumps when the policy \
                 finds something new. PPO has no world model."
            </LineChart>
            <LineChart
                title="Transition loss"
                x_label=X_LABEL
                y_label="mean l_P of the batch"
                series=of_model(|iteration| mean(iteration, "transition_loss"))
                y_axis=YAxis::FromZero
                x_range
            >
                "The error of the next latent that the world model predicts. It can also rise \
                 because latents move apart, not only because the model gets worse."
            </LineChart>
        </div>
    }
}

/// The mean of a metric in an iteration; NaN, which is not drawn, if it was not reported.
fn mean(iteration: &Iteration, name: &str) -> f64 {
    iteration.mean.get(name).map_or(f64::NAN, f64::from)
}

/// A curve for each agent.
fn series(
    shown: MazeSignals,
    points: impl Fn(&Config, &History) -> Arc<[[f64; 2]]> + Copy + Send + Sync + 'static,
) -> Signal<Vec<Series>> {
    Signal::derive(move || {
        let curve = |agent: usize| {
            shown.drawn.track();
            let points = shown.playground().opened.with(|experiment| {
                let run = shown.playground().agents[agent].run;
                run.with_untracked(|run| points(&experiment.agents[agent], run.history()))
            });
            let (colour, dash) = (COLOURS[agent], DASHES[agent]);
            Series { label: shown.name(agent).into(), colour, dash, points }
        };
        vec![curve(0), curve(1)]
    })
}

fn points<T>(entries: &[T], point: impl Fn(&T) -> [f64; 2]) -> Arc<[[f64; 2]]> {
    entries.iter().map(point).collect()
}

/// Reference lines; one for each agent if their values differ.
fn references(
    shown: MazeSignals,
    values: impl Fn(&Maze, &Config) -> Option<Vec<(&'static str, f64)>> + Copy + Send + Sync + 'static,
) -> Signal<Vec<Reference>> {
    let references = Memo::new(move |_| {
        let of = |agent: usize| {
            let maze = shown.mazes[agent].read();
            let maze = maze.as_ref()?;
            shown.playground().opened.with(|experiment| values(maze, &experiment.agents[agent]))
        };
        let [first, second] = [of(0), of(1)].map(Option::unwrap_or_default);
        if first == second {
            let plain =
                |(label, value): (&'static str, f64)| Reference { label: label.into(), value };
            return first.into_iter().map(plain).collect();
        }
        let named = |(agent, values): (usize, Vec<(&'static str, f64)>)| {
            let name = shown.name(agent);
            values.into_iter().map(move |(label, value)| Reference {
                label: format!("{label} ({name})").into(),
                value,
            })
        };
        [(0, first), (1, second)].into_iter().flat_map(named).collect::<Vec<_>>()
    });
    references.into()
}
