//! Symbols and names of actions, states and policies, the same in every part of the room.

use deepspi_plot::fixed;
use leptos::prelude::*;

use crate::simplex::{ACTIONS, Distribution};

/// The symbol of the neighbourhood, inside a line of text.
pub fn neighbourhood_symbol() -> impl IntoView {
    view! {
        <span class="nb-symbol"><i>"N"</i><sup><i>"C"</i></sup></span>
    }
}

/// Name of an action.
pub const fn action_name(action: usize) -> &'static str {
    ["a₁", "a₂", "a₃"][action]
}

/// Name of a state of the random MDP.
pub const fn state_name(state: usize) -> &'static str {
    ["s₁ (start)", "s₂", "s₃", "s₄", "s₅"][state]
}

/// The probabilities of all actions, by name.
pub fn probabilities(policy: Distribution, digits: usize) -> String {
    let text = |action: usize| format!("{} {}", action_name(action), fixed(policy[action], digits));
    (0..ACTIONS).map(text).collect::<Vec<_>>().join(", ")
}
