//! The curves of both agents, as every room shows them: colours, dashes and names, which points of a
//! run are drawn, what they are compared with, and the charts that several rooms have.

use std::sync::Arc;

use deepspi_playground::experiment::AGENTS;
use deepspi_run::config::Config;
use deepspi_run::message::{Iteration, MazeStatus};
use deepspi_worlds::maze::Maze;
use leptos::prelude::*;

use super::{LineChart, paced};
use crate::history::History;
use crate::opening::Marks;
use crate::page::state::Playground;
use crate::plot::{Dash, Reference, Series, YAxis};

/// Name of the x axis of all curves.
pub const AGENT_STEPS: &str = "agent steps";

/// Colours of the agents in all charts.
pub const COLOURS: [&str; AGENTS] = ["var(--agent-0)", "var(--agent-1)"];
/// Patterns of the agents, so that curves differ not only by colour.
pub const DASHES: [Dash; AGENTS] = [Dash::Solid, Dash::Dashed];

/// Points `[x, y]`; those with NaN are not drawn.
type Points = Arc<[[f64; 2]]>;

/// The runs of both agents, of which curves are made. A curve is redrawn from one [`paced`] signal.
#[derive(Clone, Copy, Debug)]
pub struct AgentCurves {
    /// Stored, to keep the copies small.
    playground: StoredValue<Playground, LocalStorage>,
    drawn: Signal<u64>,
    /// The maze of each agent; none in a world without exact values.
    mazes: [Memo<Option<Maze>>; AGENTS],
}

impl AgentCurves {
    /// Follows both agents of the page.
    pub fn new(playground: Playground) -> Self {
        let drawn = paced(move || {
            for agent in playground.agents {
                agent.run.track();
            }
        });
        let mazes = [0, 1].map(|agent| Memo::new(move |_| playground.maze(agent)));
        Self { playground: StoredValue::new_local(playground), drawn, mazes }
    }

    /// Whether the values of the agents' policies are known exactly.
    pub fn has_exact_values(self) -> bool {
        self.mazes[0].with(Option::is_some)
    }

    /// A number of each exact assessment.
    pub fn of_maze(self, value: fn(&MazeStatus) -> f64) -> Signal<Vec<Series>> {
        self.series(move |_, history| {
            points(&history.maze, |status| [status.global_step as f64, value(status)])
        })
    }

    /// A number of each iteration.
    pub fn of_update(self, value: fn(&Iteration) -> f64) -> Signal<Vec<Series>> {
        self.series(move |_, history| {
            points(&history.iterations, |i| [i.global_step as f64, value(i)])
        })
    }

    /// The mean of a metric in each iteration.
    pub fn of_metric(self, name: &'static str) -> Signal<Vec<Series>> {
        self.series(move |_, history| {
            points(&history.iterations, |i| [i.global_step as f64, mean(i, name)])
        })
    }

    /// The mean of a loss of the world model in each iteration. PPO has no world model, so these
    /// losses do not exist (they are not 0).
    fn of_model(self, name: &'static str) -> Signal<Vec<Series>> {
        self.series(move |config, history| {
            let used = if config.uses_world_model() { &*history.iterations } else { &[] };
            points(used, |i| [i.global_step as f64, mean(i, name)])
        })
    }

    /// A curve for each agent.
    fn series(
        self,
        points: impl Fn(&Config, &History) -> Points + Copy + Send + Sync + 'static,
    ) -> Signal<Vec<Series>> {
        Signal::derive(move || {
            self.drawn.track();
            let playground = self.playground.get_value();
            let curve = |agent: usize| {
                let points = playground.opened.with(|experiment| {
                    let run = playground.agents[agent].run;
                    run.with_untracked(|run| points(&experiment.agents[agent], run.history()))
                });
                let (colour, dash) = (COLOURS[agent], DASHES[agent]);
                Series { label: playground.agent_label(agent).into(), colour, dash, points }
            };
            vec![curve(0), curve(1)]
        })
    }

    /// Lines at the best value of the start, and at the value of always going right; none in a world
    /// without exact values.
    fn values_to_compare(self) -> Signal<Vec<Reference>> {
        self.references(|maze, _| {
            let marks = Marks::of(maze?).ok()?;
            Some(vec![("optimum", marks.optimum), ("always right", marks.always_right)])
        })
    }

    /// A line at the ratio below which the theorems hold.
    fn limit_of_ratios(self) -> Signal<Vec<Reference>> {
        self.references(|_, config| Some(vec![("1/γ", 1.0 / f64::from(config.gamma))]))
    }

    /// Reference lines; one for each agent if their values differ.
    fn references(
        self,
        values: impl Fn(Option<&Maze>, &Config) -> Option<Vec<(&'static str, f64)>>
        + Copy
        + Send
        + Sync
        + 'static,
    ) -> Signal<Vec<Reference>> {
        let references = Memo::new(move |_| {
            let playground = self.playground.get_value();
            let of = |agent: usize| {
                let maze = self.mazes[agent].read();
                playground
                    .opened
                    .with(|experiment| values(maze.as_ref(), &experiment.agents[agent]))
            };
            let [first, second] = [of(0), of(1)].map(Option::unwrap_or_default);
            if first == second {
                let plain =
                    |(label, value): (&'static str, f64)| Reference { label: label.into(), value };
                return first.into_iter().map(plain).collect();
            }
            let named = |(agent, values): (usize, Vec<(&'static str, f64)>)| {
                let name = playground.agent_label(agent);
                values.into_iter().map(move |(label, value)| Reference {
                    label: format!("{label} ({name})").into(),
                    value,
                })
            };
            [(0, first), (1, second)].into_iter().flat_map(named).collect::<Vec<_>>()
        });
        references.into()
    }
}

/// The mean of a metric in an iteration; NaN, which is not drawn, if it was not reported.
fn mean(iteration: &Iteration, name: &str) -> f64 {
    iteration.mean.get(name).map_or(f64::NAN, f64::from)
}

fn points<T>(entries: &[T], point: impl Fn(&T) -> [f64; 2]) -> Points {
    entries.iter().map(point).collect()
}

/// The exact value of the start, beside the best one and that of always going right.
#[component]
pub fn StartValueChart(
    /// The runs.
    curves: AgentCurves,
    /// Range of the x axis.
    #[prop(optional, into)]
    x_range: Signal<Option<[f64; 2]>>,
    /// Explanation below the chart.
    children: Children,
) -> impl IntoView {
    view! {
        <LineChart
            title="Value at the start"
            x_label=AGENT_STEPS
            y_label="V(s_I), exact"
            series=curves.of_maze(|status| status.start_value)
            references=curves.values_to_compare()
            x_range
        >
            {children()}
        </LineChart>
    }
}

/// The largest importance ratio, beside the limit of the theorems.
#[component]
pub fn RatioChart(
    /// The runs.
    curves: AgentCurves,
    /// Range of the x axis.
    #[prop(optional, into)]
    x_range: Signal<Option<[f64; 2]>>,
    /// What the world adds to the explanation.
    children: Children,
) -> impl IntoView {
    view! {
        <LineChart
            title="Importance ratio"
            x_label=AGENT_STEPS
            y_label="largest ratio new / old policy (log)"
            series=curves.of_update(|iteration| iteration.ratios.sup.into())
            references=curves.limit_of_ratios()
            y_axis=YAxis::Log
            x_range
        >
            "The theorems need this below 1/γ. " {children()}
        </LineChart>
    }
}

/// Both losses of the world model.
#[component]
pub fn ModelLossCharts(
    /// The runs.
    curves: AgentCurves,
    /// Range of the x axis.
    #[prop(optional, into)]
    x_range: Signal<Option<[f64; 2]>>,
) -> impl IntoView {
    view! {
        <LineChart
            title="Reward loss"
            x_label=AGENT_STEPS
            y_label="mean l_R of the batch"
            series=curves.of_model("reward_loss")
            y_axis=YAxis::FromZero
            x_range
        >
            "The error of the reward that the world model predicts. It jumps when the policy \
             finds something new. PPO has no world model."
        </LineChart>
        <LineChart
            title="Transition loss"
            x_label=AGENT_STEPS
            y_label="mean l_P of the batch"
            series=curves.of_model("transition_loss")
            y_axis=YAxis::FromZero
            x_range
        >
            "The error of the next latent that the world model predicts. It can also rise \
             because latents move apart, not only because the model gets worse."
        </LineChart>
    }
}
