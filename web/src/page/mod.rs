//! The page: header, controls, the first screen, tabs and the rooms.
//!
//! The first screen's introduction (`opening`) repeats the static text of `index.html`, which search engines and visitors
//! without scripts see. Change both together.

pub mod address;
pub mod atari;
pub mod bridge;
pub mod charts;
mod clock;
pub mod controls;
pub mod copy;
pub mod download;
pub mod dream;
pub mod drop_target;
pub mod emulators;
pub mod export;
pub mod file_input;
pub mod help;
pub mod keys;
pub mod latents;
pub mod maze;
pub mod motion;
pub mod neighbourhood;
pub mod notices;
pub mod opening;
pub mod pixels;
pub mod reports;
pub mod settings;
pub mod state;
pub mod storage;
pub mod tabs;
pub mod theme;
pub mod theory;
pub mod tour;
mod worker_error;

use deepspi_playground::VERSION;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use self::help::Help;
use self::settings::draft::Draft;
use self::state::{Playground, Room};
use self::tour::Tours;

/// Id in `index.html` of the text that is shown until the page runs.
const STATIC_TEXT_ID: &str = "static";

/// Replaces the static text of `index.html` with the page.
pub fn mount() {
    // Without the hook the console shows a panic only as "unreachable executed".
    console_error_panic_hook::set_once();
    if let Some(text) = document().get_element_by_id(STATIC_TEXT_ID) {
        text.remove();
    }
    mount_to_body(App);
}

/// The whole page.
#[component]
pub fn App() -> impl IntoView {
    let (link, notice) = address::read();
    let playground = Playground::new(link.experiment, reports::handle);
    playground.preference.set(link.device);
    playground.pace.set(link.pace);
    playground.room.set(link.room);
    playground.neighbourhood.set(link.neighbourhood);
    if let Some(text) = notice {
        playground.notify(text);
    }
    provide_context(playground);
    let arcade = atari::provide(playground, link.screens);
    let draft = Draft::provide(playground);
    let help = Help::provide();
    Tours::provide(arcade);
    playground.launch();
    address::keep(arcade, draft);
    keys::listen(playground, draft, help);
    ask_before_leaving(playground);
    view! {
        <a class="skip" href="#room" on:click=move |event| skip(&event)>"Skip to the content"</a>
        <header class="top">
            <div class="title">
                <h1>"DeepSPI playground"</h1>
                <div class="buttons">
                    <tour::TourButtons/>
                    <button type="button" id="keys" on:click=move |_| help.open.set(true)>
                        "Keys"
                    </button>
                    <theme::ThemeSwitch/>
                </div>
            </div>
        </header>
        <notices::Notices/>
        <controls::Controls/>
        <opening::Opening/>
        <tabs::Tabs/>
        <main id="room" class="room" tabindex="-1">
            {move || match playground.room.get() {
                Room::Neighbourhood => view! { <neighbourhood::NeighbourhoodRoom/> }.into_any(),
                Room::Maze => view! { <maze::MazeRoom/> }.into_any(),
                Room::Latents => view! { <latents::LatentsRoom/> }.into_any(),
                Room::Theory => view! { <theory::TheoryRoom/> }.into_any(),
                Room::Dream => view! { <dream::DreamRoom/> }.into_any(),
                Room::Atari => view! { <atari::AtariRoom/> }.into_any(),
            }}
        </main>
        <settings::Settings/>
        <footer>
            "DeepSPI in Rust " {VERSION} ". Everything on this page is computed on this machine; \
             nothing is sent anywhere."
        </footer>
        <help::HelpDialog/>
        <tour::TourCard/>
    }
}

/// Moves to the content without changing the address, because its fragment contains the settings.
fn skip(event: &web_sys::MouseEvent) {
    event.prevent_default();
    let room = document().get_element_by_id("room");
    if let Some(room) = room.and_then(|room| room.dyn_into::<HtmlElement>().ok()) {
        drop(room.focus());
    }
}

/// Makes the browser ask before it closes a page with an unsaved run.
fn ask_before_leaving(playground: Playground) {
    let listener = window_event_listener(ev::beforeunload, move |event| {
        if playground.has_unsaved_run() {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
}
