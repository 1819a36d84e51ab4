//! The tabs of the rooms. They have one tab stop, and arrow keys move between them (the ARIA
//! pattern for tabs).

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::state::{Playground, Room};

/// The four tabs.
#[component]
pub fn Tabs() -> impl IntoView {
    let playground = Playground::here();
    let on_key = move |event: web_sys::KeyboardEvent| {
        let here = Room::ALL.iter().position(|room| *room == playground.room.get_untracked());
        let (here, count) = (here.unwrap_or(0), Room::ALL.len());
        let next = match event.key().as_str() {
            "ArrowRight" => (here + 1) % count,
            "ArrowLeft" => (here + count - 1) % count,
            "Home" => 0,
            "End" => count - 1,
            _ => return,
        };
        event.prevent_default();
        playground.room.set(Room::ALL[next]);
        let tab = document().get_element_by_id(&tab_id(Room::ALL[next]));
        if let Some(tab) = tab.and_then(|tab| tab.dyn_into::<web_sys::HtmlElement>().ok()) {
            drop(tab.focus());
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-label="Rooms" on:keydown=on_key>
            {Room::ALL
                .map(|room| {
                    let open = move || playground.room.get() == room;
                    view! {
                        <button
                            type="button"
                            role="tab"
                            id=tab_id(room)
                            class="tab"
                            aria-controls="room"
                            aria-selected=move || open().to_string()
                            tabindex=move || if open() { "0" } else { "-1" }
                            on:click=move |_| playground.room.set(room)
                        >
                            {room.title()}
                        </button>
                    }
                })
                .collect_view()}
        </div>
    }
}

fn tab_id(room: Room) -> String {
    format!("tab-{}", room.key())
}
