//! Room: Theory.

use leptos::prelude::*;

/// The room.
#[component]
pub fn TheoryRoom() -> impl IntoView {
    view! { <h2>"Theory"</h2> }
}
