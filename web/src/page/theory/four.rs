//! Theorem 4: states of different value have different latents.

use deepspi_run::maze::{Assessment, ValuePair};
use deepspi_theory::{Terms, TheoremFour};
use leptos::prelude::*;

use super::formula::{formula, fraction, room_left, sign, symbol, term, together, valued};
use super::signals::TheorySignals;
use super::theorem::Theorem;
use crate::cells::name;
use crate::page::charts::Scatter;
use crate::plot::{Dots, number};
use crate::terms::{Term, reading_four, worst_pairs};

const LABEL: &str = "The probability that the values of two states differ by more than K V times the distance \
                     of their latents plus epsilon is at most delta";
const DELTA_LABEL: &str = "delta is 2 times (L R + gamma times K V times L P), divided by epsilon times (1 / SIR \
                           minus gamma)";
/// Number of pairs in the table, besides the pair of the stars.
const WORST: usize = 5;

fn terms(found: &Assessment) -> Option<Terms> {
    Some(found.theorem_four.numbers?.terms)
}

/// The theorem.
#[component]
pub fn Four(shown: TheorySignals) -> impl IntoView {
    let four = move |of: fn(&TheoremFour) -> f64| {
        move || shown.text(|found| number(found.theorem_four.numbers.as_ref().map_or(f64::NAN, of)))
    };
    let delta = four(|four| four.delta.unwrap_or(f64::NAN));
    let mass = four(|four| four.violating_mass.unwrap_or(f64::NAN));
    let part = move |of| term(shown, terms, of);
    let epsilon = move || valued(view! { <i>"ε"</i> }, four(|four| four.epsilon));
    let event = move || {
        view! {
            "|" <i>"V"</i> "(" <i>"s"</i> <sub>"1"</sub> ") − " <i>"V"</i> "(" <i>"s"</i> <sub>"2"</sub> ")| > "
            {symbol(Term::ValueLipschitz)} " " <i>"d"</i> "(" <i>"φ"</i> <i>"s"</i> <sub>"1"</sub> ", "
            <i>"φ"</i> <i>"s"</i> <sub>"2"</sub> ") + " <i>"ε"</i>
        }
    };
    view! {
        <Theorem
            shown
            id="th-four"
            title="Theorem 4: states of different value do not share a latent"
            words="It is improbable that two states which the old policy visits differ much in \
                   value while their latents lie close together. So if the losses of the model are \
                   small, the encoder separates states that must be told apart, such as the two \
                   stars."
            failed=|found| &found.theorem_four.failed
            reading=reading_four
        >
            {formula(
                LABEL,
                view! {
                    {valued(view! { <i>"P"</i> " ( " {event()} " )" }, mass)}
                    {together(view! { {sign("≤")} {valued(view! { <i>"δ"</i> }, delta)} })}
                },
            )}
            {formula(
                DELTA_LABEL,
                view! {
                    {together(
                        view! {
                            {valued(view! { <i>"δ"</i> }, delta)}
                            {sign("=")}
                            {fraction(
                                view! {
                                    {sign("2 (")}
                                    {part(Term::RewardLoss)}
                                    {sign("+")}
                                    {part(Term::Gamma)}
                                    {sign("·")}
                                    {part(Term::ValueLipschitz)}
                                    {sign("·")}
                                    {part(Term::TransitionLoss)}
                                    {sign(")")}
                                },
                                view! { {epsilon()} {sign("(")} {room_left(shown, terms)} {sign(")")} },
                            )}
                        },
                    )}
                },
            )}
            <Pairs shown/>
        </Theorem>
    }
}

/// A table of the stars and the worst other pairs, and a chart of all pairs.
#[component]
fn Pairs(shown: TheorySignals) -> impl IntoView {
    let rows = move || {
        shown.found.with(|found| {
            let found = found.as_deref()?;
            let pairs = std::iter::once(found.stars).chain(worst_pairs(found, WORST));
            Some(pairs.map(|pair| row(shown, found, &pair)).collect_view())
        })
    };
    let dots = Signal::derive(move || {
        shown.found.with(|found| found.as_deref().and_then(dots).unwrap_or_default())
    });
    let has_dots = Memo::new(move |_| dots.with(|dots| !dots.points.is_empty()));
    view! {
        <div class="th-pairs">
            <div class="th-scroll" tabindex="0" role="region" aria-label="Pairs of states">
                <table>
                    <caption>"The two stars, and the worst other pairs"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"states"</th>
                            <th scope="col">"|ΔV|"</th>
                            <th scope="col">"d"</th>
                            <th scope="col"><i>"K"</i><sub>"V"</sub>" d + ε"</th>
                            <th scope="col">"P"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <Show when=move || has_dots.get()>
                <Scatter
                    title="Pairs of states: difference of values"
                    x_label="allowed, K_V d + ε"
                    y_label="|V(s1) − V(s2)|"
                    value_label="probability of the pair"
                    diagonal="equal"
                    dots=dots
                >
                    "Each dot is a pair of states. Above the line the values differ by more than the distance of \
                     the latents allows."
                </Scatter>
            </Show>
        </div>
    }
}

fn row(shown: TheorySignals, found: &Assessment, pair: &ValuePair) -> impl IntoView + use<> {
    let k_v =
        found.theorem_four.numbers.as_ref().and_then(|four| Some((four.terms.k_v?, four.epsilon)));
    let allowed = k_v.map_or(f64::NAN, |(k_v, epsilon)| pair.allowed(k_v, epsilon));
    let names = shown.maze.with(|maze| {
        let place = |state| {
            maze.as_ref().map_or_else(String::new, |maze| {
                let (row, column) = maze.cell(state);
                format!("{} ({row}, {column})", name(maze, state))
            })
        };
        pair.states.map(place).join(" · ")
    });
    let is_beyond = pair.value_gap > allowed;
    view! {
        <tr>
            <th scope="row">{names}</th>
            <td>{number(pair.value_gap)}</td>
            <td>{number(pair.distance)}</td>
            <td>
                {number(allowed)}
                {is_beyond.then(|| view! { <span class="th-exceeded">" exceeded"</span> })}
            </td>
            <td>{number(pair.probability.unwrap_or(f64::NAN))}</td>
        </tr>
    }
}

/// The dots of all pairs; none without `K_V`.
fn dots(found: &Assessment) -> Option<Dots> {
    let four = found.theorem_four.numbers.as_ref()?;
    let k_v = four.terms.k_v?;
    let pairs = || found.pairs.iter();
    Some(Dots {
        points: pairs().map(|pair| [pair.allowed(k_v, four.epsilon), pair.value_gap]).collect(),
        values: pairs().map(|pair| pair.probability.unwrap_or(f64::NAN)).collect(),
    })
}
