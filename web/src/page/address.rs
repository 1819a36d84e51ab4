//! The address bar: it always holds the link to what the controls show.

use std::time::Duration;

use leptos::ev;
use leptos::leptos_dom::helpers::{debounce, location};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::settings::draft::Draft;
use super::state::Playground;
use crate::link::{Link, notice};

/// Quiet time before the address is written: browsers limit how often it may be.
const PAUSE: Duration = Duration::from_millis(300);

/// What the address says, and a sentence about what in it is not understood.
#[must_use]
pub fn read() -> (Link, Option<String>) {
    let fragment = location().hash().unwrap_or_default();
    let (link, ignored) = Link::from_fragment(&fragment);
    (link, notice(&ignored))
}

/// The link to what the controls show.
fn current(playground: Playground) -> Link {
    Link {
        experiment: playground.experiment.get(),
        device: playground.preference.get(),
        pace: playground.pace.get(),
        room: playground.room.get(),
        neighbourhood: playground.neighbourhood.get(),
    }
}

/// The whole address, for copying.
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
        // Not allowed in some embedded pages; the button that copies the link still works.
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
