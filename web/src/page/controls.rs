//! Start, pause, one update, reset, speed; what the device is and where training stands.

use leptos::prelude::*;

use super::state::{Phase, Playground};

/// The bar that is always there.
#[component]
pub fn Controls() -> impl IntoView {
    let playground = Playground::here();
    let ready = move || playground.phase.get() == Phase::Ready;
    let running = move || playground.status.get().running;
    let toggle = move |_| {
        if running() { playground.pause() } else { playground.start() }
    };
    view! {
        <section class="controls" aria-label="Training">
            <button type="button" id="start" class="primary" disabled=move || !ready() on:click=toggle>
                {move || if running() { "Pause" } else { "Start" }}
            </button>
            <button type="button" id="step" disabled=move || !ready() || running() on:click=move |_| playground.step()>
                "One update"
            </button>
            <button type="button" id="reset" disabled=move || !ready() on:click=move |_| playground.reset()>
                "Reset"
            </button>
            <p class="device" id="device">
                {move || match (playground.phase.get(), playground.device.get()) {
                    (Phase::Preparing(text), _) => format!("{text} …"),
                    (_, Some(device)) => format!("{}: {}", device.name, device.reason),
                    (_, None) => String::new(),
                }}
            </p>
        </section>
    }
}
