//! Room: Latents.

use leptos::prelude::*;

/// The room.
#[component]
pub fn LatentsRoom() -> impl IntoView {
    view! { <h2>"Latents"</h2> }
}
