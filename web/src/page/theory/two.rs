//! Theorem 2: the return in the maze against the return in the world model.

use deepspi_run::maze::Assessment;
use deepspi_theory::Terms;
use leptos::prelude::*;

use super::formula::{
    formula, fraction, model_error, new_in_maze, new_in_model, room_left, sign, term, together,
    valued,
};
use super::signals::TheorySignals;
use super::theorem::Theorem;
use crate::plot::number;
use crate::terms::{Term, reading_two};

const LABEL: &str = "The absolute difference of the return of the new policy in the maze and in the world \
                     model is at most AEL times (L R / gamma + K V times L P), divided by (1 / SIR minus \
                     gamma)";

fn terms(found: &Assessment) -> Option<Terms> {
    Some(found.theorem_two.numbers?.terms)
}

/// The theorem.
#[component]
pub fn Two(shown: TheorySignals) -> impl IntoView {
    let two = move |of: fn(&deepspi_theory::TheoremTwo) -> f64| {
        move || shown.text(|found| number(found.theorem_two.numbers.as_ref().map_or(f64::NAN, of)))
    };
    let in_maze = move || shown.text(|found| number(found.return_after));
    let right = move || {
        shown.text(|found| {
            let right = found.theorem_two.numbers.as_ref().and_then(|two| two.right_hand_side);
            right.map_or_else(|| "does not exist".to_owned(), number)
        })
    };
    view! {
        <Theorem
            shown
            id="th-two"
            title="Theorem 2: the model's promise is near the truth"
            words="The returns of the new policy in the maze and in the world model differ by at \
                   most the losses of the model times a factor that grows with the episode's \
                   length and the size of the step."
            failed=|found| &found.theorem_two.failed
            reading=reading_two
        >
            {formula(
                LABEL,
                view! {
                    {together(
                        view! {
                            {sign("|")}
                            {valued(new_in_maze(), in_maze)}
                            {sign("−")}
                            {valued(new_in_model(), two(|two| two.return_model))}
                            {sign("|")}
                        },
                    )}
                    {together(
                        view! {
                            {sign("≤")}
                            {fraction(
                                view! {
                                    {term(shown, terms, Term::Ael)}
                                    {model_error(shown, terms)}
                                },
                                room_left(shown, terms),
                            )}
                        },
                    )}
                },
            )}
            <p class="th-sides">
                <span>"left side " <b>{two(|two| two.gap)}</b></span>
                " · "
                <span>"right side " <b>{right}</b></span>
            </p>
        </Theorem>
    }
}
