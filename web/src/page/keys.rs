//! Keys for the whole page; [`super::help`] lists them.
//!
//! The focused element takes precedence: a room that uses a key calls `prevent_default`. Keys are
//! ignored while the user types text, and Space is ignored where it would press a button.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, KeyboardEvent};

use super::help::Help;
use super::settings::draft::Draft;
use super::state::{Phase, Playground, Room};

/// Listens to keys for the life of the page.
pub fn listen(playground: Playground, draft: Draft, help: Help) {
    let listener = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
        let modified = event.ctrl_key() || event.alt_key() || event.meta_key();
        if event.default_prevented() || modified || event.repeat() || help.open.get_untracked() {
            return;
        }
        let focused = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if focused.as_ref().is_some_and(takes_text) {
            return;
        }
        let ready = playground.phase.get_untracked() == Phase::Ready;
        let running = playground.status.get_untracked().running;
        match event.key().as_str() {
            "?" => help.open.set(true),
            _ if !help.keys.get_untracked() => return,
            " " if focused.as_ref().is_some_and(takes_space) => return,
            " " if running => playground.pause(),
            " " if ready => draft.start(),
            "." | "n" if ready && !running => draft.step(),
            "r" if ready => draft.ask_restart(),
            key => {
                let room = key.parse::<usize>().ok().and_then(|n| Room::ALL.get(n.wrapping_sub(1)));
                let Some(room) = room else { return };
                playground.room.set(*room);
            }
        }
        event.prevent_default();
    });
    on_cleanup(move || listener.remove());
}

/// Whether letters and digits are input for this element.
fn takes_text(element: &Element) -> bool {
    match element.tag_name().as_str() {
        "TEXTAREA" | "SELECT" => true,
        "INPUT" => element.dyn_ref::<HtmlInputElement>().is_some_and(|input| {
            !["checkbox", "range", "radio", "file"].contains(&input.type_().as_str())
        }),
        _ => false,
    }
}

/// Whether this element uses Space.
fn takes_space(element: &Element) -> bool {
    const ROLES: &str = "button, a, input, summary, label, [role=button], [role=checkbox], [role=option], \
                         [role=slider], [role=gridcell], [role=application]";
    element.closest(ROLES).ok().flatten().is_some()
}
