//! Theorem 3: improvement in the maze against improvement in the world model.

use deepspi_run::maze::Assessment;
use deepspi_theory::{Terms, TheoremThree};
use leptos::prelude::*;

use super::formula::{
    barred, formula, fraction, model_error, new_in_maze, new_in_model, room_left, sign, term,
    together, valued,
};
use super::signals::TheorySignals;
use super::theorem::Theorem;
use crate::plot::number;
use crate::terms::{Term, reading_three};

const LABEL: &str = "The improvement of the return in the maze is at least the improvement of the return in \
                     the world model minus zeta";
const ZETA_LABEL: &str = "zeta is AEL times (L R / gamma + K V times L P) times (1 / (1 / SIR minus gamma) + 1 \
                          / (1 minus gamma))";

fn terms(found: &Assessment) -> Option<Terms> {
    Some(found.theorem_three.numbers?.terms)
}

/// The theorem.
#[component]
pub fn Three(shown: TheorySignals) -> impl IntoView {
    let three = move |of: fn(&TheoremThree) -> f64| {
        move || {
            shown.text(|found| number(found.theorem_three.numbers.as_ref().map_or(f64::NAN, of)))
        }
    };
    let zeta = three(|three| three.zeta.unwrap_or(f64::NAN));
    let guaranteed = three(|three| three.guaranteed().unwrap_or(f64::NAN));
    let truly = move || shown.text(|found| number(found.return_after - found.return_before));
    let after = move || shown.text(|found| number(found.return_after));
    let before = move || shown.text(|found| number(found.return_before));
    let zeta_symbol = || view! { <i>"ζ"</i> };
    view! {
        <Theorem
            shown
            id="th-three"
            title="Theorem 3: better in the model is better in the maze"
            words="An update that improves the return in the world model improves the return in \
                   the maze by at least the same amount minus ζ. So each update is safe up to ζ."
            failed=|found| &found.theorem_three.failed
            reading=reading_three
        >
            {formula(
                LABEL,
                view! {
                    {together(
                        view! {
                            {valued(new_in_maze(), after)}
                            {sign("−")}
                            {valued(
                                view! { <i>"ρ"</i> "(" <i>"π"</i> <sub>"b"</sub> ", " <i>"M"</i> ")" },
                                before,
                            )}
                        },
                    )}
                    {together(
                        view! {
                            {sign("≥")}
                            {valued(
                                view! {
                                    {new_in_model()} " − " <i>"ρ"</i> "(" {barred("π")} <sub>"b"</sub> ", "
                                    {barred("M")} ")"
                                },
                                three(|three| three.improvement_model),
                            )}
                            {sign("−")}
                            {valued(zeta_symbol(), zeta)}
                        },
                    )}
                },
            )}
            {formula(
                ZETA_LABEL,
                view! {
                    {together(
                        view! {
                            {valued(zeta_symbol(), zeta)}
                            {sign("=")}
                            {term(shown, terms, Term::Ael)}
                            {model_error(shown, terms)}
                        },
                    )}
                    {together(
                        view! {
                            {sign("(")}
                            {fraction(sign("1"), room_left(shown, terms))}
                            {sign("+")}
                            {fraction(
                                sign("1"),
                                view! { {sign("1 −")} {term(shown, terms, Term::Gamma)} },
                            )}
                            {sign(")")}
                        },
                    )}
                },
            )}
            <dl class="th-numbers">
                <dt>"improvement in the maze"</dt>
                <dd>{truly}</dd>
                <dt>"improvement in the model"</dt>
                <dd>{three(|three| three.improvement_model)}</dd>
                <dt>"guaranteed: in the model − ζ"</dt>
                <dd>{guaranteed}</dd>
            </dl>
            <p class="muted th-small">
                "Here K_R, K_P and K_V are valid for the old policy as well as for the new one, so they may be \
                 larger than in Theorem 2."
            </p>
        </Theorem>
    }
}
