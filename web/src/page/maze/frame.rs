//! A frame of the maze, as the agents see it.

use deepspi_worlds::maze::Maze;
use leptos::html::Canvas;
use leptos::prelude::*;

use crate::page::pixels::{grey, paint};
use crate::page::state::Playground;

/// Caption if the agents are trained on the cartridge, whose screen they see instead.
const ON_CARTRIDGE: &str =
    "The maze as a picture. These agents see the screen of the cartridge instead.";

/// The frame of a state, enlarged without smoothing.
#[component]
pub fn Frame(
    /// The maze.
    maze: Memo<Option<Maze>>,
    /// The state.
    #[prop(into)]
    state: Signal<usize>,
    /// Caption of the frame, unless the agents see another picture.
    caption: &'static str,
) -> impl IntoView {
    let canvas = NodeRef::<Canvas>::new();
    let side = move || {
        let maze = maze.read();
        maze.as_ref().map_or(0, |maze| maze.config().preset.frame().width)
    };
    Effect::new(move || {
        let maze = maze.read();
        let (Some(canvas), Some(maze)) = (canvas.get(), maze.as_ref()) else { return };
        let state = state.get();
        if state < maze.states() {
            // If painting fails, only the caption is shown.
            let width = maze.config().preset.frame().width;
            drop(paint(&canvas, &grey(&maze.frame(state)), width));
        }
    });
    let playground = Playground::here();
    let on_cartridge = Memo::new(move |_| {
        let world = playground.opened.with(|opened| opened.world().ok());
        world.is_some_and(|world| world.game().is_some())
    });
    let caption = move || if on_cartridge.get() { ON_CARTRIDGE } else { caption };
    view! {
        <figure class="maze-frame">
            <canvas node_ref=canvas width=side height=side role="img" aria-label=caption></canvas>
            <figcaption class="muted">{caption}</figcaption>
        </figure>
    }
}
