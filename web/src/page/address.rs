//! The address bar, which always contains the link to the settings in the controls.

use std::time::Duration;

use leptos::ev;
use leptos::leptos_dom::helpers::{debounce, location};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::atari::linked;
use super::atari::state::Arcade;
use super::settings::draft::Draft;
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
fn current(arcade: Arcade) -> Link {
    let playground = arcade.playground;
    Link {
        experiment: playground.experiment.get(),
        device: playground.preference.get(),
        pace: playground.pace.get(),
        room: playground.room.get(),
        neighbourhood: playground.neighbourhood.get(),
        screens: linked::settings(arcade),
    }
}

/// The full address, for copying.
#[must_use]
pub fn whole(arcade: Arcade) -> String {
    let fragment = untrack(move || current(arcade)).to_fragment();
    let here = location().href().unwrap_or_default();
    let page = here.split('#').next().unwrap_or_default();
    if fragment.is_empty() { page.to_owned() } else { format!("{page}#{fragment}") }
}

/// Keeps the address up to date, and follows it when the user changes it.
pub fn keep(arcade: Arcade, draft: Draft) {
    let playground = arcade.playground;
    let mut write = debounce(PAUSE, move |()| {
        let address = whole(arcade);
        // Some embedded pages may not write the address; the button that copies the link still
        // works there.
        if let Ok(history) = window().history() {
            drop(history.replace_state_with_url(&JsValue::NULL, "", Some(&address)));
        }
    });
    Effect::new(move |_| {
        // Reads everything that the link depends on.
        drop(current(arcade));
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
        // Afterwards: the screens show the trainer's game if the link names no other.
        linked::apply(arcade, link.screens);
    });
    on_cleanup(move || listener.remove());
}
