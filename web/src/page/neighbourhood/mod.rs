//! Room: Neighbourhood.

use leptos::prelude::*;

/// The room.
#[component]
pub fn NeighbourhoodRoom() -> impl IntoView {
    view! { <h2>"Neighbourhood"</h2> }
}
