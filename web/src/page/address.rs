//! The address bar, which always contains the link to the settings in the controls.

use std::time::Duration;

use leptos::ev;
use leptos::leptos_dom::helpers::{debounce, location};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::settings::draft::Draft;
use super::state::Playground;
use crate::link::{Link, notice};

/// Time without changes before the address is written, because browsers limit how often a page may
/// write it.
const PAUSE: Duration = Duration::from_millis(300);

/// Reads the link in the address. Returns it with a sentence about ignored entries.
#[must_use]
pub fn read() -> (Link, Option<String>) {
    let fragment = location().hash().unwrap_or_default();
    let (link, ignored) = Link::from_fragment(&fragment);
    (link, notice(&ignored))
}

/// The link to the settings in the controls.
fn current(playground: Playground) -> Link {
    Link {
        experiment: playground.experiment.get(),
        device: playground.preference.get(),
        pace: playground.pace.get(),
        room: playground.room.get(),
        neighbourhood: playground.neighbourhood.get(),
    }
}

/// The full address, for copying.
#[must_use]
pub fn whole(playground: Playground) -> String {
    let fragment = untrack(move || current(playground)).to_fragment();
    let here = location().href().unwrap_or_default();
    let page = here.split('#').next().unwrap_or_default();
    if fragment.is_empty() { page.to_owned() } else { format!("{page}#{fragment}") }
}

/// Keeps the address up to date, and follows it when the user changes it.
pub fn keep(playground: Playground, draft: Draft) {
    let mut write = debounce(PAUSE, move |()| {
        let address = whole(playground);
        // Some embedded pages may not write the address; the button that copies the link still
        // works there.
        if let Ok(history) = window().history() {
            drop(history.replace_state_with_url(&JsValue::NULL, "", Some(&address)));
        }
    });
    Effect::new(move |_| {
        playground.experiment.track();
        playground.preference.track();
        playground.pace.track();
        playground.room.track();
        playground.neighbourhood.track();
        write(());
    });
    let listener = window_event_listener(ev::hashchange, move |_| {
        let (link, notice) = read();
        if let Some(text) = notice {
            playground.notify(text);
        }
        playground.preference.set(link.device);
        playground.room.set(link.room);
        playground.neighbourhood.set(link.neighbourhood);
        playground.set_pace(link.pace);
        draft.replace(link.experiment);
    });
    on_cleanup(move || listener.remove());
}
