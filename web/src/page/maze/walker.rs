//! Both boards, and the agents walking on them.

use std::time::Duration;

use deepspi_playground::experiment::AGENTS;
use leptos::leptos_dom::helpers::{IntervalHandle, set_interval_with_handle};
use leptos::prelude::*;

use super::board::{Board, common_scale};
use super::frame::Frame;
use super::signals::MazeSignals;
use crate::page::motion::is_calm;
use crate::walk::Walk;

/// Time per step; the transition in `maze.css` is shorter.
const STEP: Duration = Duration::from_millis(450);

/// The mazes of both agents side by side.
#[component]
pub fn Boards(shown: MazeSignals) -> impl IntoView {
    let walking = RwSignal::new(!is_calm());
    let framed = RwSignal::new(false);
    let places = [0; AGENTS].map(|_| RwSignal::new(None::<usize>));
    walk(shown, walking, places);
    let scale = common_scale(shown);
    let agent = move |agent: usize| {
        view! {
            <div>
                <Board shown agent scale place=places[agent]/>
                <Show when=move || framed.get() && places[agent].get().is_some()>
                    <Frame
                        maze=shown.mazes[agent]
                        state=Signal::derive(move || places[agent].get().unwrap_or_default())
                        caption="What the walking agent sees now."
                    />
                </Show>
            </div>
        }
    };
    view! {
        <div class="maze-options">
            <label>
                <input type="checkbox" prop:checked=walking on:change:target=move |event| {
                    walking.set(event.target().checked());
                }/>
                " The agents walk"
            </label>
            <label>
                <input
                    type="checkbox"
                    prop:checked=framed
                    disabled=move || !walking.get()
                    on:change:target=move |event| framed.set(event.target().checked())
                />
                " Show what they see"
            </label>
        </div>
        <div class="maze-boards">{agent(0)} {agent(1)}</div>
        <p class="muted">
            "Colour and number: the exact value V of the agent's policy in each cell (the darkest \
             colour also stands for anything lower). Arrows: its policy; a longer arrow is more \
             probable. I start, ? fork, ★ the two stars, G goal, F trap, W exit. Point at a cell, \
             or use the arrow keys, to read it below."
        </p>
    }
}

/// Moves both agents while `walking` is set.
fn walk(shown: MazeSignals, walking: RwSignal<bool>, places: [RwSignal<Option<usize>>; AGENTS]) {
    let walks = StoredValue::new(None::<[Walk; AGENTS]>);
    let clock = StoredValue::new_local(None::<IntervalHandle>);
    let stop = move || {
        if let Some(Some(clock)) = clock.try_update_value(Option::take) {
            clock.clear();
        }
    };
    let step = move || {
        walks.try_update_value(|walks| {
            for (agent, walk) in walks.iter_mut().flatten().enumerate() {
                let view = shown.playground().agents[agent].view.get_untracked();
                if let Some(view) = view {
                    walk.step(&view.report.policy);
                    places[agent].set(Some(walk.state()));
                }
            }
        });
    };
    Effect::new(move || {
        stop();
        let seed = shown.playground().opened.with(deepspi_playground::experiment::Experiment::seed);
        let mazes = shown.mazes.map(|maze| maze.get());
        for place in places {
            place.set(None);
        }
        let [Some(first), Some(second)] = mazes else { return };
        if walking.get() {
            for (place, maze) in places.iter().zip([&first, &second]) {
                place.set(Some(maze.start()));
            }
            walks.set_value(Some([first, second].map(|maze| Walk::new(maze, seed))));
            clock.set_value(set_interval_with_handle(step, STEP).ok());
        }
    });
    on_cleanup(stop);
}
