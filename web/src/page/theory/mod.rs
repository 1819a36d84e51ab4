//! The theory room: the theorems, with the numbers of an agent's last update.
//!
//! The numbers change every two seconds during training. So only the texts in the formulas change
//! and the elements stay: parts that the user has opened stay open, and the layout does not jump.
//! The worker computes all numbers, and only while this room requests them.

mod formula;
mod four;
mod signals;
mod terms;
mod theorem;
mod three;
mod two;

use deepspi_playground::experiment::AGENTS;
use deepspi_playground::protocol::Watch;
use leptos::prelude::*;

use self::signals::TheorySignals;
use super::state::{Phase, Playground};
use crate::terms::{has_model, reading_of_step, stood_still};

/// The room.
#[component]
pub fn TheoryRoom() -> impl IntoView {
    let playground = Playground::here();
    let shown = TheorySignals::new(playground);
    // The numbers are requested again after the worker was replaced.
    let ready = Memo::new(move |_| playground.phase.get() == Phase::Ready);
    Effect::new(move || {
        if ready.get() {
            playground.watch(Watch { theory: true, ..Watch::default() });
        }
    });
    on_cleanup(move || playground.watch(Watch::default()));
    view! {
        <h2>"Theory"</h2>
        <p>
            "The agent learns from a model of its world. When can that be trusted? Theorems 2 to 4 give an \
             answer, each an inequality with premises. Here they are for the last update of an agent. \
             Nothing is estimated from a batch: every number is computed over all cells of the maze. Press \
             “One update” and watch the numbers change."
        </p>
        <div class="th-head">
            <Switch shown/>
            <Standing shown/>
        </div>
        <terms::Terms shown/>
        <div class="th-theorems">
            <two::Two shown/>
            <three::Three shown/>
            <four::Four shown/>
        </div>
        <section class="th-notes">
            <h3>"How to read this"</h3>
            <div class="columns">
                <p>
                    "A bound that holds can still be loose. It multiplies large factors: the largest \
                     ratio, the largest slope of the model, the length of the episode. So the right \
                     side is often hundreds of times the left side. It still shows what an update must \
                     keep small: the losses of the model, its slope, and the step."
                </p>
                <p>
                    "With the usual settings the step is nearly always too large: in about one update of a \
                     hundred SIR stays below 1/γ. The preset “Certified” keeps the ratios of each batch below the \
                     limit; its price is slower learning. Cells that the batch did not visit can still go \
                     beyond it."
                </p>
                <p>
                    "Here the world model is made finite: its latents are those of the maze's cells, \
                     and each prediction is moved to the nearest of them. The old policy is the one \
                     before the update. The encoder φ is the one after it, because the theorems assume \
                     a single encoder."
                </p>
            </div>
        </section>
    }
}

/// Buttons that select the agent.
#[component]
fn Switch(shown: TheorySignals) -> impl IntoView {
    let choice = move |agent: usize| {
        view! {
            <label class="th-choice">
                <input
                    type="radio"
                    name="th-agent"
                    prop:checked=move || shown.agent.get() == agent
                    on:change=move |_| shown.agent.set(agent)
                />
                <span class=format!("th-agent-{agent}")>
                    {["A", "B"][agent]} " " {move || shown.playground.agent_name(agent)}
                </span>
            </label>
        }
    };
    view! {
        <fieldset class="th-switch">
            <legend>"Agent"</legend>
            {(0..AGENTS).map(choice).collect_view()}
        </fieldset>
    }
}

/// Whether there is anything to see.
#[component]
fn Standing(shown: TheorySignals) -> impl IntoView {
    let is_new = Memo::new(move |_| {
        shown.playground.agents[shown.agent.get()].run.with(|run| !run.has_progress())
    });
    let text = move || {
        shown.found.with(|found| {
            let Some(found) = found else {
                return Some("The numbers are being computed.");
            };
            if !has_model(found) {
                return Some(
                    "This agent has no world model, so the theorems do not apply to it: only the \
                     size of its step is shown. The other agent may have one.",
                );
            }
            match (stood_still(found), is_new.get()) {
                (false, _) => None,
                (true, true) => Some(
                    "There is no step yet: the old policy is the new one, and SIR = 1. Press “One update”.",
                ),
                (true, false) => Some(
                    "There is no step to judge: the policy has not changed since the numbers were \
                     last computed.",
                ),
            }
        })
    };
    let step = move || {
        shown.found.with(|found| {
            shown.maze.with(|maze| Some(reading_of_step(found.as_deref()?, maze.as_ref()?)))
        })
    };
    view! {
        <div class="th-standing" aria-live="off">
            {move || text().map(|text| view! { <p class="notice">{text}</p> })}
            <p>{step}</p>
        </div>
    }
}
