//! Controls for all hyper-parameters: those of the worlds, and those of the two agents side by side.
//!
//! [`crate::form`] lists the controls; [`draft`] holds their values and decides when they are used.

pub mod draft;
mod field;

use leptos::prelude::*;

use self::draft::Draft;
use self::field::Field;
use super::state::Playground;
use crate::form::{AGENT, Control, GAME, MAZE, Scope, choice_label, rare_headings};

const MAZE_PLACE: &[Scope] = &[Scope::Maze];
const GAME_PLACE: &[Scope] = &[Scope::Game];
const AGENT_PLACES: &[Scope] = &[Scope::Agent(0), Scope::Agent(1)];

/// All settings.
#[component]
pub fn Settings() -> impl IntoView {
    let playground = Playground::here();
    let algorithm = move |agent: usize| {
        playground.experiment.with(|experiment| choice_label(experiment.agents[agent].algo.name()))
    };
    view! {
        <section class="settings" id="settings" aria-labelledby="settings-title">
            <h2 id="settings-title">"Settings"</h2>
            <p class="muted">
                "Both agents have the same maze and the same seed, so they differ only in the \
                 settings that you change. A dot on a slider marks the default; ↺ restores it. \
                 Agents that have not trained yet use changes at once; a run with progress \
                 continues unchanged until you restart it."
            </p>
            <fieldset class="settings-maze">
                <legend>"Maze"</legend>
                <Common controls=MAZE places=MAZE_PLACE/>
                <Rare title="More of the maze" heading="Maze" controls=MAZE places=MAZE_PLACE/>
            </fieldset>
            <fieldset>
                <legend>"Atari games"</legend>
                <Rare title="Rules and networks" heading="Environment" controls=GAME places=GAME_PLACE/>
            </fieldset>
            <fieldset>
                <legend>"Agents"</legend>
                <div class="field heads" aria-hidden="true">
                    {[0, 1]
                        .map(|agent| {
                            view! {
                                <div class=format!("place head agent-{agent}")>
                                    {["A: ", "B: "][agent]} {move || algorithm(agent)}
                                </div>
                            }
                        })
                        .collect_view()}
                </div>
                <Common controls=AGENT places=AGENT_PLACES/>
                {rare_headings()
                    .into_iter()
                    .map(|heading| {
                        view! {
                            <Rare title=heading heading=heading controls=AGENT places=AGENT_PLACES/>
                        }
                    })
                    .collect_view()}
            </fieldset>
        </section>
    }
}

#[component]
fn Common(controls: &'static [Control], places: &'static [Scope]) -> impl IntoView {
    let fields = controls.iter().filter(|control| control.common);
    fields.map(|control| view! { <Field control=control scopes=places/> }).collect_view()
}

#[component]
fn Rare(
    title: &'static str,
    heading: &'static str,
    controls: &'static [Control],
    places: &'static [Scope],
) -> impl IntoView {
    let fields = controls
        .iter()
        .filter(move |control| !control.common && control.info(places[0]).heading == heading)
        .map(|control| view! { <Field control=control scopes=places/> });
    view! {
        <details>
            <summary>{title}</summary>
            {fields.collect_view()}
        </details>
    }
}

/// Tells the user that the settings differ from what is trained, and what to do about it.
#[component]
pub fn Pending() -> impl IntoView {
    let draft = Draft::here();
    // Memos, so that screen readers read the text aloud once and not again with every change.
    let shown =
        Memo::new(move |_| (draft.is_changed() && draft.has_progress()) || !draft.is_valid());
    let text = Memo::new(move |_| match draft.error_texts() {
        errors if errors.is_empty() => "Settings changed – restart to use them.".to_owned(),
        errors => format!("These settings cannot be used. {}.", errors.join("; ")),
    });
    view! {
        <div class="pending" role="status">
            {move || {
                shown
                    .get()
                    .then(|| {
                        view! {
                            <p>{text}</p>
                            <button
                                type="button"
                                id="apply"
                                disabled=move || !draft.is_valid()
                                on:click=move |_| draft.restart()
                            >
                                "Restart with these settings"
                            </button>
                        }
                    })
            }}
        </div>
    }
}
