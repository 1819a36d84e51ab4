//! Parts of a formula, with the current number below each term.
//!
//! To a screen reader a formula is one element with a description in words. The numbers are
//! repeated in the list of terms and in the sentence below the formula.

use leptos::prelude::*;

use super::signals::TheorySignals;
use super::theorem::Numbers;
use crate::plot::number;
use crate::terms::Term;

/// The whole formula. On a narrow page it breaks between its parts.
pub fn formula(label: &'static str, parts: impl IntoView) -> impl IntoView {
    view! { <div class="th-formula" role="math" aria-label=label>{parts}</div> }
}

/// Parts between which the formula does not break.
pub fn together(parts: impl IntoView) -> impl IntoView {
    view! { <span class="th-row">{parts}</span> }
}

/// A symbol with a number below it.
pub fn valued(
    symbol: impl IntoView,
    text: impl Fn() -> String + Send + Sync + 'static,
) -> impl IntoView {
    view! {
        <span class="th-term">
            <span class="th-symbol">{symbol}</span>
            <span class="th-value">{text}</span>
        </span>
    }
}

/// A sign between terms.
pub fn sign(text: &'static str) -> impl IntoView {
    view! { <span class="th-sign">{text}</span> }
}

/// A fraction.
pub fn fraction(top: impl IntoView, bottom: impl IntoView) -> impl IntoView {
    view! {
        <span class="th-fraction">
            <span class="th-row">{top}</span>
            <span class="th-row">{bottom}</span>
        </span>
    }
}

/// The symbol of a term.
pub fn symbol(term: Term) -> impl IntoView {
    let [letter, below] = term.symbol();
    let below = (!below.is_empty()).then(|| view! { <sub>{below}</sub> });
    view! { <i>{letter}</i> {below} }
}

/// A letter with a bar, which denotes a quantity of the world model.
pub fn barred(letter: &'static str) -> impl IntoView {
    view! { <i class="th-bar">{letter}</i> }
}

/// The updated policy in the maze.
pub fn new_in_maze() -> impl IntoView {
    view! { <i>"ρ"</i> "(" {barred("π")} "∘" <i>"φ"</i> ", " <i>"M"</i> ")" }
}

/// The updated policy in the world model.
pub fn new_in_model() -> impl IntoView {
    view! { <i>"ρ"</i> "(" {barred("π")} ", " {barred("M")} ")" }
}

/// A term with its number.
pub fn term(shown: TheorySignals, numbers: Numbers, term: Term) -> impl IntoView {
    let text = move || shown.text(|found| term.text(found, numbers(found).as_ref()));
    valued(symbol(term), text)
}

/// `L_R / gamma + K_V L_P`, in brackets.
pub fn model_error(shown: TheorySignals, numbers: Numbers) -> impl IntoView {
    let part = move |of| term(shown, numbers, of);
    view! {
        {sign("(")}
        {part(Term::RewardLoss)}
        {sign("/")}
        {part(Term::Gamma)}
        {sign("+")}
        {part(Term::ValueLipschitz)}
        {sign("·")}
        {part(Term::TransitionLoss)}
        {sign(")")}
    }
}

/// `1 / SIR - gamma`, with its value.
pub fn room_left(shown: TheorySignals, numbers: Numbers) -> impl IntoView {
    let part = move |of| term(shown, numbers, of);
    let difference = move || {
        shown.text(|found| {
            let value = |term: Term| term.value(found, None);
            number(value(Term::Ratio).recip() - value(Term::Gamma))
        })
    };
    view! {
        <span class="th-term">
            <span class="th-row">{sign("1 /")} {part(Term::Ratio)} {sign("−")} {part(Term::Gamma)}</span>
            <span class="th-value th-sum">"= " {difference}</span>
        </span>
    }
}
