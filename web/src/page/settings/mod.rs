//! Settings of maze and agents.

use leptos::prelude::*;

/// All settings.
#[component]
pub fn Settings() -> impl IntoView {
    view! { <section class="settings" aria-label="Settings"></section> }
}
