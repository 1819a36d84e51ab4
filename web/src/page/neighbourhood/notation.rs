//! Symbols and names of actions, states and policies, which all parts of the room share.

use deepspi_plot::fixed;
use leptos::prelude::*;

use crate::simplex::{ACTIONS, Distribution};

/// The symbol of the neighbourhood, inside a line of text.
pub fn neighbourhood_symbol() -> impl IntoView {
    view! {
        <span class="nb-symbol"><i>"N"</i><sup><i>"C"</i></sup></span>
    }
}

/// Symbol of an action.
pub const fn action_name(action: usize) -> &'static str {
    ["a₁", "a₂", "a₃"][action]
}

/// Symbol of a state of the random MDP.
pub const fn state_name(state: usize) -> &'static str {
    ["s₁ (start)", "s₂", "s₃", "s₄", "s₅"][state]
}

/// The probabilities of all actions as text.
pub fn probabilities(policy: Distribution, digits: usize) -> String {
    let text = |action: usize| format!("{} {}", action_name(action), fixed(policy[action], digits));
    (0..ACTIONS).map(text).collect::<Vec<_>>().join(", ")
}
