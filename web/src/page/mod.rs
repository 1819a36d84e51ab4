//! The page: header, controls, tabs and the four rooms.
//!
//! The introduction repeats the static text of `index.html`, which is what people without scripts,
//! and search engines, are given: change both together.

pub mod bridge;
pub mod charts;
pub mod controls;
pub mod download;
pub mod latents;
pub mod maze;
pub mod neighbourhood;
pub mod notices;
pub mod reports;
pub mod settings;
pub mod state;
pub mod tabs;
pub mod theory;

use leptos::prelude::*;

use self::bridge::Bridge;
use self::state::{Playground, Room};
use crate::VERSION;
use crate::experiment::Experiment;

/// Id, in `index.html`, of the text that stands in until the page runs.
const STATIC_TEXT_ID: &str = "static";

/// Puts the live page in place of the static text of `index.html`.
pub fn mount() {
    // Without the hook a panic is only "unreachable executed" in the console.
    console_error_panic_hook::set_once();
    if let Some(text) = document().get_element_by_id(STATIC_TEXT_ID) {
        text.remove();
    }
    mount_to_body(App);
}

/// The whole page.
#[component]
pub fn App() -> impl IntoView {
    let playground = Playground::new(Experiment::default(), Bridge::default());
    provide_context(playground);
    playground.launch();
    view! {
        <a class="skip" href="#room">"Skip to the content"</a>
        <header class="top">
            <h1>"DeepSPI playground"</h1>
            <p class="lead">
                "An agent learns a policy and a model of its world at once. DeepSPI keeps each \
                 update of the policy within the range in which the model can be trusted."
            </p>
        </header>
        <notices::Notices/>
        <controls::Controls/>
        <tabs::Tabs/>
        <main id="room" class="room" tabindex="-1">
            {move || match playground.room.get() {
                Room::Neighbourhood => view! { <neighbourhood::NeighbourhoodRoom/> }.into_any(),
                Room::Maze => view! { <maze::MazeRoom/> }.into_any(),
                Room::Latents => view! { <latents::LatentsRoom/> }.into_any(),
                Room::Theory => view! { <theory::TheoryRoom/> }.into_any(),
            }}
        </main>
        <settings::Settings/>
        <footer>
            "DeepSPI in Rust " {VERSION} ". Everything on this page is computed on this machine; \
             nothing is sent anywhere."
        </footer>
    }
}
