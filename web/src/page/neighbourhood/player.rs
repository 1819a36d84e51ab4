//! Controls that move both iterations of part 2 forwards and back, by hand or automatically.

use std::time::Duration;

use leptos::prelude::*;

use super::signals::part;
use crate::neighbourhood::{STEPS, Settings};

/// Time per step during automatic playback.
const PACE: Duration = Duration::from_millis(220);

/// Buttons and a slider for the step.
#[component]
pub fn Player(
    /// The settings, which contain the step.
    settings: RwSignal<Settings>,
) -> impl IntoView {
    let step = part(settings, |s| s.step);
    let is_last = move || step.get() >= STEPS;
    let is_first = move || step.get() == 0;
    let go = move |to: usize| settings.update(|s| s.step = to.min(STEPS));
    let timer = StoredValue::new(None::<IntervalHandle>);
    let playing = RwSignal::new(false);
    let stop = move || {
        timer.update_value(|timer| {
            if let Some(timer) = timer.take() {
                timer.clear();
            }
        });
        playing.set(false);
    };
    let tick = move || {
        if step.get_untracked() >= STEPS {
            stop();
        } else {
            go(step.get_untracked() + 1);
        }
    };
    let toggle = move |_| {
        if playing.get_untracked() {
            stop();
            return;
        }
        if step.get_untracked() >= STEPS {
            go(0);
        }
        // Without a timer this button does nothing, and the others still work.
        if let Ok(handle) = set_interval_with_handle(tick, PACE) {
            timer.set_value(Some(handle));
            playing.set(true);
        }
    };
    on_cleanup(move || {
        timer.try_update_value(|timer| timer.take().map(|timer| timer.clear()));
    });
    let on_slide = move |event| {
        if let Ok(to) = event_target_value(&event).parse() {
            stop();
            go(to);
        }
    };
    view! {
        <div class="nb-player" role="group" aria-label="Steps of both iterations">
            <button
                type="button"
                id="nb-step"
                class="primary"
                disabled=is_last
                on:click=move |_| {
                    stop();
                    go(step.get_untracked() + 1);
                }
            >
                "One step"
            </button>
            <button type="button" id="nb-play" on:click=toggle>
                {move || if playing.get() { "Pause" } else { "Play" }}
            </button>
            <button
                type="button"
                id="nb-back"
                disabled=is_first
                on:click=move |_| {
                    stop();
                    go(0);
                }
            >
                "Back to the start"
            </button>
            <label for="nb-at">{move || format!("Step {} of {STEPS}", step.get())}</label>
            <input
                type="range"
                id="nb-at"
                min="0"
                max=STEPS
                step="1"
                prop:value=move || step.get().to_string()
                on:input=on_slide
            />
        </div>
    }
}
