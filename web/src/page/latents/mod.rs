//! Room: what each agent's encoder makes of the maze.
//!
//! Every cell of the maze is a point; the worker draws the points where it has a GPU, the page where
//! it has none ([`canvases`]). Labels, picking and numbers are always the page's, so that pointing at
//! a cell never waits for training.

mod canvases;
mod colour_bar;
mod details;
mod model;
mod overlay;
mod panel;
mod picker;
mod resize;
mod theme;

use leptos::prelude::*;

use self::model::Desk;

/// The room.
#[component]
pub fn LatentsRoom() -> impl IntoView {
    let desk = Desk::new();
    provide_context(desk);
    view! {
        // Its background has a transition: when it ends, the colours of the page have changed.
        <div class="latents" on:transitionend=move |_| desk.read_theme()>
            <h2>"What the agent sees as the same"</h2>
            <p>
                "An encoder turns every picture of the maze into a list of numbers, its latent. The \
                 policy sees nothing else. Each point below is a cell of the maze, drawn along the \
                 two directions in which the latents differ most (their principal components). \
                 Cells whose points fall together look the same to the policy, which then has to \
                 act the same in both."
            </p>
            <p>
                "The two stars are the cells where that matters: going up wins at the upper one and \
                 is a disaster at the lower one. Watch the line between them while you train. With \
                 the settings of the paper, PPO keeps the stars apart too; make the cue weaker, and \
                 both methods find it hard."
            </p>
            <colour_bar::ColourBar/>
            <div class="latents-panels">
                <panel::LatentPanel agent=0/>
                <panel::LatentPanel agent=1/>
            </div>
            <details::Details/>
        </div>
    }
}
