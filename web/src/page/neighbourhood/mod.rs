//! Room 1: what the neighbourhood of a policy is, and what the restriction to it guarantees.
//!
//! The room needs no worker: `deepspi_theory` computes everything while the user drags, so no
//! computation may take longer than a frame.

mod chain;
mod details;
mod dial;
mod notation;
mod one_state;
mod planners;
mod player;
mod signals;
mod small;
mod steps;
mod trap;
mod triangle;

use leptos::prelude::*;

use super::state::Playground;

/// The room.
#[component]
pub fn NeighbourhoodRoom() -> impl IntoView {
    let settings = Playground::here().neighbourhood;
    view! {
        <h2>"Neighbourhood"</h2>
        <p>
            "A world model knows what the old policy " <i>"π"</i> " has seen. A policy that is very \
             different goes where the model only guesses. So DeepSPI lets each update change the \
             probability of an action by a limited factor. This room shows what that means, and what \
             it is good for. Nothing here is sampled: every number is exact."
        </p>
        <one_state::OneStatePart settings=settings/>
        <steps::StepsPart settings=settings/>
    }
}
