//! Training on the emulator, and its curves.

use std::sync::Arc;

use deepspi_run::config::Config;
use deepspi_run::message::Iteration;
use deepspi_run::world::World;
use leptos::prelude::*;

use super::state::{Arcade, Origin};
use crate::history::History;
use crate::page::charts::{LineChart, paced};
use crate::page::settings::draft::{Draft, confirmed};
use crate::plot::{Dash, Series, YAxis};
use crate::presets::for_world;

const COLOURS: [&str; 2] = ["var(--agent-0)", "var(--agent-1)"];
const DASHES: [Dash; 2] = [Dash::Solid, Dash::Dashed];

/// The button that trains here, and the curves of the run.
#[component]
pub fn Training() -> impl IntoView {
    let (arcade, draft) = (Arcade::here(), Draft::here());
    let playground = arcade.playground;
    let trains_here = Memo::new(move |_| {
        let world = arcade.world.get();
        playground.opened.with(|opened| opened.world().ok()) == world && world.is_some()
    });
    let begin = move |_| {
        let Some(world) = arcade.world.get_untracked() else { return };
        let question =
            "Train on this cartridge? Both agents start anew, and their progress is lost.";
        if untrack(move || draft.has_progress()) && !confirmed(question) {
            return;
        }
        draft.replace(for_world(&world));
        draft.restart();
        for index in 0..arcade.screens.len() {
            arcade.set_agent(index, Origin::Here, None);
        }
        draft.start();
    };
    view! {
        <Show
            when=move || trains_here.get()
            fallback=move || {
                view! {
                    <p>
                        "The trainer is busy with another world: "
                        {move || playground.opened.with(|opened| opened.env.clone())}
                        ". Two agents can learn this cartridge instead, A with "
                        {move || playground.agent_name(0)} " and B with "
                        {move || playground.agent_name(1)} ", here in the browser."
                    </p>
                    <button type="button" id="atari-train" class="primary" on:click=begin>
                        "Train two agents on this cartridge"
                    </button>
                }
            }
        >
            <p>
                "Start and pause are in the bar at the top. The screens show the agents as they \
                 are after each update if “trained here” is chosen."
            </p>
            <Curves/>
        </Show>
    }
}

#[component]
fn Curves() -> impl IntoView {
    let arcade = Arcade::here();
    let has_values = Memo::new(move |_| {
        arcade.world.with(|world| world.as_ref().is_some_and(World::has_exact_values))
    });
    let drawn = paced(move || {
        for agent in arcade.playground.agents {
            agent.run.track();
        }
    });
    let curve = move |value: fn(&Iteration) -> f64| {
        series(arcade, drawn, move |_, history| {
            history.iterations.iter().map(|i| [i.global_step as f64, value(i)]).collect()
        })
    };
    // PPO has no world model, so these losses do not exist (they are not 0).
    let of_model = move |name: &'static str| {
        series(arcade, drawn, move |config, history| {
            let used = if config.uses_world_model() { &*history.iterations } else { &[] };
            let mean = |i: &Iteration| i.mean.get(name).map_or(f64::NAN, f64::from);
            used.iter().map(|i| [i.global_step as f64, mean(i)]).collect()
        })
    };
    let exact = series(arcade, drawn, |_, history| {
        history.maze.iter().map(|status| [status.global_step as f64, status.start_value]).collect()
    });
    view! {
        <div class="charts">
            <Show when=move || has_values.get()>
                <LineChart
                    title="Value at the start"
                    x_label="agent steps"
                    y_label="V(s_I), exact"
                    series=exact
                >
                    "The exact value of the agent's policy in the cartridge's maze: with sampled \
                     actions, as in training."
                </LineChart>
            </Show>
            <LineChart
                title="Return"
                x_label="agent steps"
                y_label="mean return of finished games"
                series=curve(|i| i.finished_return.unwrap_or(f64::NAN))
            >
                "The game's own points, over all lives, of the last finished game of each environment."
            </LineChart>
            <LineChart
                title="Importance ratio"
                x_label="agent steps"
                y_label="largest ratio new / old policy (log)"
                series=curve(|i| i.ratios.sup.into())
                y_axis=YAxis::Log
            >
                "The theorems need this below 1/γ."
            </LineChart>
            <LineChart
                title="Reward loss"
                x_label="agent steps"
                y_label="mean l_R of the batch"
                series=of_model("reward_loss")
                y_axis=YAxis::FromZero
            >
                "The error of the reward that the world model predicts. PPO has no world model."
            </LineChart>
            <LineChart
                title="Transition loss"
                x_label="agent steps"
                y_label="mean l_P of the batch"
                series=of_model("transition_loss")
                y_axis=YAxis::FromZero
            >
                "The error of the next latent that the world model predicts. PPO has no world model."
            </LineChart>
        </div>
    }
}

/// A curve for each agent.
fn series(
    arcade: Arcade,
    drawn: Signal<u64>,
    points: impl Fn(&Config, &History) -> Arc<[[f64; 2]]> + Copy + Send + Sync + 'static,
) -> Signal<Vec<Series>> {
    let playground = arcade.playground;
    Signal::derive(move || {
        drawn.track();
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
