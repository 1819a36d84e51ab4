//! The page itself: one component now, the playground later.
//!
//! The text repeats the static text of `index.html`, which is what people without scripts, and
//! search engines, are given: change both together.

use leptos::prelude::*;

use crate::VERSION;

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
    view! {
        <main>
            <h1>"DeepSPI in Rust"</h1>
            <p>
                "Deep safe policy improvement: a reinforcement learning agent that learns a world \
                 model along with its policy, and keeps each update of the policy within the range \
                 in which that model can be trusted."
            </p>
            <PlaygroundStatus />
            <footer>"Version " {VERSION}</footer>
        </main>
    }
}

/// Says that there is nothing to play with yet, and what works meanwhile.
#[component]
fn PlaygroundStatus() -> impl IntoView {
    view! {
        <p role="status">
            "The playground, in which you will be able to train an agent on this page, is not there \
             yet. Training works from the command line: see the README."
        </p>
    }
}
