//! Room 1: what the neighbourhood of a policy is, and what the restriction to it guarantees.
//!
//! The room needs no worker: `deepspi_theory` computes everything while the user drags, so no
//! computation may take longer than a frame.

mod chain;
mod dial;
mod one_state;
mod player;
mod small;
mod steps;
mod trap;
mod triangle;

use deepspi_plot::fixed;
use leptos::prelude::*;

use super::state::Playground;
use crate::neighbourhood::Settings;
use crate::simplex::{ACTIONS, Distribution};

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

/// A signal for one part of the settings that changes only with this part, so that results that
/// depend on it are not recomputed when another part changes.
fn part<T: PartialEq + Send + Sync + 'static>(
    settings: RwSignal<Settings>,
    read: impl Fn(&Settings) -> T + Send + Sync + 'static,
) -> Memo<T> {
    Memo::new(move |_| settings.with(&read))
}

/// The symbol of the neighbourhood, inside a line of text.
fn neighbourhood_symbol() -> impl IntoView {
    view! {
        <span class="nb-symbol"><i>"N"</i><sup><i>"C"</i></sup></span>
    }
}

/// Symbol of an action.
const fn action_name(action: usize) -> &'static str {
    ["a₁", "a₂", "a₃"][action]
}

/// The probabilities of all actions as text.
fn probabilities(policy: Distribution, digits: usize) -> String {
    let text = |action: usize| format!("{} {}", action_name(action), fixed(policy[action], digits));
    (0..ACTIONS).map(text).collect::<Vec<_>>().join(", ")
}
