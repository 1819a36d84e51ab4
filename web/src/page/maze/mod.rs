//! Room: Maze.

use leptos::prelude::*;

/// The room.
#[component]
pub fn MazeRoom() -> impl IntoView {
    view! { <h2>"Maze"</h2> }
}
