//! Notices to the user: what went wrong, and what to do about it.
//!
//! Screen readers read one region aloud, so each text is put there once. Only the newest notices
//! are on screen; when the user dismisses one, the next appears.

use leptos::prelude::*;

use super::copy::CopyButton;
use super::export::report;
use super::state::{Phase, Playground};

/// Largest number of notices on screen.
const SHOWN: usize = 3;

/// The notices, newest first, and the fault if there is one.
#[component]
pub fn Notices() -> impl IntoView {
    let playground = Playground::here();
    let newest = move || {
        let texts = playground.notices.read();
        texts.iter().rev().take(SHOWN).cloned().collect::<Vec<_>>()
    };
    let fault = move || match playground.phase.get() {
        Phase::Faulted(text) => Some(text),
        Phase::Preparing(_) | Phase::Ready => None,
    };
    view! {
        <div class="notices" role="status" aria-live="polite">
            {move || fault().map(|text| view! { <Fault text=text/> })}
            <For each=newest key=String::clone let(text)>
                <Notice text=text/>
            </For>
        </div>
    }
}

#[component]
fn Notice(text: String) -> impl IntoView {
    let playground = Playground::here();
    let shown = text.clone();
    view! {
        <div class="notice dismissable">
            <p>{shown}</p>
            <button
                type="button"
                class="dismiss"
                aria-label="Dismiss this notice"
                on:click=move |_| playground.dismiss(&text)
            >
                "×"
            </button>
        </div>
    }
}

#[component]
fn Fault(text: String) -> impl IntoView {
    let playground = Playground::here();
    let shown = text.clone();
    let has_checkpoint = move || {
        playground.agents.iter().any(|agent| agent.run.with_untracked(|run| run.kept().is_some()))
    };
    let what = if has_checkpoint() {
        "Restarting continues from the last automatic checkpoint."
    } else {
        "Restarting begins with new agents."
    };
    view! {
        <div class="notice fault">
            <p>{shown} " " {what}</p>
            <div class="buttons">
                <button
                    type="button"
                    id="restart-trainer"
                    class="primary"
                    on:click=move |_| playground.restart_worker()
                >
                    "Restart the trainer"
                </button>
                <CopyButton
                    label="Copy the configuration"
                    text=Callback::new(move |()| report(playground, &text))
                />
            </div>
        </div>
    }
}
