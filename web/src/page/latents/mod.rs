//! The latents room: how each agent's encoder represents the maze.
//!
//! Every cell of the maze is a point. The worker draws the points if it has a GPU, else the page
//! does ([`canvases`]). The page always handles labels, selection and numbers, so that pointing at
//! a cell never waits for training.

mod canvases;
mod colour_bar;
mod details;
mod model;
mod overlay;
mod panel;
mod picker;
mod theme;

use leptos::prelude::*;

use self::model::Desk;

/// The room.
#[component]
pub fn LatentsRoom() -> impl IntoView {
    let desk = Desk::new();
    provide_context(desk);
    view! {
        // The background changes with a transition; when it ends, the page's new colours can be
        // read.
        <div class="latents" on:transitionend=move |_| desk.read_theme()>
            <h2>"What the agent sees as the same"</h2>
            <div class="columns">
                <p>
                    "An encoder turns every picture of the maze into a list of numbers, its latent; \
                     the policy sees nothing else. Each point below is a cell of the maze, drawn along \
                     the two directions in which the latents differ most (their principal components). \
                     Points far apart are different for the policy. Points close together may still \
                     differ in a direction that is not drawn: the axes state the share of the variance \
                     that is shown."
                </p>
                <p>
                    "The two stars are the cells where this matters: going up leads to the goal from \
                     the upper one and into the trap from the lower one. If their latents were equal, \
                     the policy would have to do the same in both. Watch the line between them while \
                     you train. With the default settings PPO keeps the stars apart as DeepSPI does; a \
                     weaker cue makes it hard for both, and some of the presets show where they \
                     differ."
                </p>
            </div>
            <colour_bar::ColourBar/>
            <div class="latents-first">
                <div class="latents-panels">
                    <panel::LatentPanel agent=0/>
                    <panel::LatentPanel agent=1/>
                </div>
                <details::Details/>
            </div>
        </div>
    }
}
