//! What the user is told: the device in use, what went wrong, and what to do about it.
//!
//! One region is read aloud by screen readers; each text is put there once.

use leptos::prelude::*;

use super::state::{Phase, Playground};

/// The notices, newest first, and the fault if there is one.
#[component]
pub fn Notices() -> impl IntoView {
    let playground = Playground::here();
    let fault = move || match playground.phase.get() {
        Phase::Faulted(text) => Some(text),
        Phase::Preparing(_) | Phase::Ready => None,
    };
    view! {
        <div class="notices" role="status" aria-live="polite">
            <For
                each=move || playground.notices.get().into_iter().enumerate()
                key=|(index, _)| *index
                let((_, text))
            >
                <p class="notice">{text}</p>
            </For>
            {move || {
                fault()
                    .map(|text| {
                        view! {
                            <p class="notice fault">
                                {text} " "
                                <button type="button" on:click=move |_| playground.restart_worker()>
                                    "Restart the trainer"
                                </button>
                            </p>
                        }
                    })
            }}
        </div>
    }
}
