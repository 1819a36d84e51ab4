//! The first screen: an agent that walks through its maze, one sentence about what it does, a button
//! that trains it, and the maze as an Atari game beside it.
//!
//! It must be alive before the trainer has loaded, so until then the page walks with a policy of its
//! own ([`crate::opening`]); it never waits for the worker.

mod cartridge;
mod stage;

use leptos::prelude::*;

use self::cartridge::{CartridgeSignals, CartridgeStage};
use self::stage::{Stage, StageSignals};
use super::controls::Setup;
use super::emulators::Emulators;
use super::settings::draft::Draft;
use super::state::{Phase, Playground};
use crate::opening::sentence;
use crate::plot::number;

/// The agent that is shown.
const AGENT: usize = 1;

/// The part of the page between the bar of the controls and the tabs.
#[component]
pub fn Opening() -> impl IntoView {
    let playground = Playground::here();
    let shown = StageSignals::new(playground, AGENT);
    let name = move || playground.agent_label(AGENT);
    let text = Memo::new(move |_| {
        let maze = shown.maze.read();
        let (maze, report) = (maze.as_ref()?, shown.report.get()?);
        Some(sentence(&name(), shown.steps(), report.up_at_stars(maze)))
    });
    let (offered, cartridge) = (Emulators::is_offered(), CartridgeSignals::new(shown.moving));
    let moves = move || shown.moving.get() || cartridge.playing.get();
    let toggle = move |_| {
        let moves = !untrack(moves);
        shown.set_moving(moves);
        cartridge.set_playing(moves);
    };
    view! {
        <section
            class="opening"
            class:with-cartridge=offered
            aria-label="An agent in its maze"
        >
            <div class="opening-words">
                <p class="lead">
                    "An agent learns a policy and a model of its world at once. DeepSPI keeps each \
                     update of the policy within the range in which the model can be trusted."
                </p>
                <p class="opening-sentence">{text}</p>
                <Meter shown/>
                <div class="buttons">
                    <TrainButton/>
                    <button type="button" id="opening-walk" on:click=toggle>
                        {move || if moves() { "Let it stand" } else { "Let it walk" }}
                    </button>
                </div>
            </div>
            <div class="opening-stages">
                <Stage shown/>
                {offered.then(|| view! { <CartridgeStage cartridge/> })}
            </div>
            <Setup/>
        </section>
    }
}

/// Trains both agents. Before the trainer is ready the wish is remembered.
#[component]
fn TrainButton() -> impl IntoView {
    let (playground, draft) = (Playground::here(), Draft::here());
    let wished = RwSignal::new(false);
    let ready = Memo::new(move |_| playground.phase.get() == Phase::Ready);
    Effect::new(move || {
        if ready.get() && wished.get() {
            wished.set(false);
            draft.start();
        }
    });
    let status = Memo::new(move |_| {
        let status = playground.status.get();
        (status.running, status.finished)
    });
    let press = move |_| match (status.get_untracked(), ready.get_untracked()) {
        ((true, _), _) => playground.pause(),
        (_, true) => draft.start(),
        (_, false) => wished.update(|wished| *wished = !*wished),
    };
    let text = move || match status.get() {
        (true, _) => "Pause training",
        (_, true) => "Trained",
        _ if wished.get() => "Training starts when the trainer has loaded …",
        _ if draft.has_progress() => "Train it further",
        _ => "Train it",
    };
    let is_off = move || {
        let (running, finished) = status.get();
        (finished && !running) || playground.phase.with(Phase::is_faulted)
    };
    view! {
        <button type="button" id="opening-train" class="primary" disabled=is_off on:click=press>
            {text}
        </button>
    }
}

/// The value at the start, between 0 and the best possible value.
#[component]
fn Meter(shown: StageSignals) -> impl IntoView {
    let value = Memo::new(move |_| shown.report.with(|report| Some(report.as_ref()?.start_value)));
    let both = move || Some((shown.marks.get()?, value.get()?));
    let words = move || both().map(|(marks, value)| marks.in_words(value));
    let percent = move |of: fn(crate::opening::Marks, f64) -> f64| {
        move || {
            both().map_or_else(String::new, |(m, value)| format!("{:.1}%", m.percent(of(m, value))))
        }
    };
    let right = percent(|marks, _| marks.always_right);
    view! {
        <div class="opening-meter" role="img" aria-label=words>
            <div class="opening-names">
                <span>"value at the start " <b>{move || value.get().map(number)}</b></span>
                <span>"optimum " {move || both().map(|(marks, _)| number(marks.optimum))}</span>
            </div>
            <div class="opening-track">
                <span class="opening-fill" style:width=percent(|_, value| value)></span>
                <span class="opening-mark" style:left=right></span>
            </div>
            <div class="opening-below" style:width=right>
                "always going right "
                {move || both().map(|(marks, _)| number(marks.always_right))}
            </div>
        </div>
    }
}
