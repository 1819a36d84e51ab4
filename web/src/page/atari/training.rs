//! Training on the emulator, and its curves.

use leptos::prelude::*;

use super::state::{Arcade, Origin};
use crate::page::charts::{
    AGENT_STEPS, AgentCurves, LineChart, ModelLossCharts, RatioChart, StartValueChart,
};
use crate::page::settings::draft::{Draft, confirmed};
use crate::page::state::Playground;
use crate::presets::for_world;

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
    let curves = AgentCurves::new(Playground::here());
    let has_values = Memo::new(move |_| curves.has_exact_values());
    view! {
        <div class="charts">
            <Show when=move || has_values.get()>
                <StartValueChart curves>
                    "The exact value of the agent's policy in the cartridge's maze: with sampled \
                     actions, as in training. A curve that stays at “always right” belongs to an \
                     agent that does not tell the stars apart."
                </StartValueChart>
            </Show>
            <LineChart
                title="Return"
                x_label=AGENT_STEPS
                y_label="mean return of finished games"
                series=curves.of_update(|i| i.finished_return.unwrap_or(f64::NAN))
            >
                "The game's own points, over all lives, of the last finished game of each environment."
            </LineChart>
            <RatioChart curves>
                "In iterations above it they promise nothing."
            </RatioChart>
            <ModelLossCharts curves/>
        </div>
    }
}
