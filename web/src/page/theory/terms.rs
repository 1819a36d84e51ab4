//! The list of terms in the right sides, each with its number and its meaning.

use deepspi_run::maze::Assessment;
use leptos::prelude::*;

use super::formula::symbol;
use super::signals::TheorySignals;
use crate::plot::number;
use crate::terms::Term;

/// Size of the gauge, in its own units. Its left end is the ratio 1.
const GAUGE: [f64; 2] = [400.0, 30.0];
const MARGIN: f64 = 8.0;

/// All terms.
#[component]
pub fn Terms(shown: TheorySignals) -> impl IntoView {
    let value = move |term: Term| {
        move || {
            shown.text(|found| {
                term.text(found, found.theorem_two.numbers.as_ref().map(|two| &two.terms))
            })
        }
    };
    let item = move |term: Term| {
        view! {
            <details>
                <summary>
                    <span class="th-symbol">{symbol(term)}</span>
                    <b>{value(term)}</b>
                    <span class="th-name">{term.name()}</span>
                </summary>
                <p>{term.explanation()}</p>
            </details>
        }
    };
    let moved = move || {
        shown.found.with(|found| {
            let found = found.as_deref()?;
            Some(format!(
                "The cells have {} different latents. Predictions were moved by {} on average to the nearest of \
                 them; L_P can be wrong by at most that.",
                found.latents,
                number(found.moved?)
            ))
        })
    };
    view! {
        <section aria-labelledby="th-terms">
            <h3 id="th-terms">"The terms"</h3>
            <Gauge shown/>
            <div class="th-terms">{Term::ALL.map(item).into_iter().collect_view()}</div>
            <p class="muted th-small">
                <i>"M"</i> " is the maze, " <i class="th-bar">"M"</i> " the world model, " <i>"φ"</i>
                " the encoder, " <i>"π"</i> <sub>"b"</sub> " the old policy, which collected the data, "
                <i class="th-bar">"π"</i> " the new one on latents, and " <i>"ρ"</i>
                " the expected return of an episode. " {moved}
            </p>
        </section>
    }
}

/// A gauge that compares SIR with its limit.
#[component]
fn Gauge(shown: TheorySignals) -> impl IntoView {
    let ends = |found: &Assessment| {
        let [sir, limit] = [Term::Ratio, Term::RatioLimit].map(|term| term.value(found, None));
        let longest = 1.15 * (sir - 1.0).max(limit - 1.0);
        let place = |x: f64| {
            let share = if longest.is_finite() { (x - 1.0) / longest } else { 1.0 };
            MARGIN + share.clamp(0.0, 1.0) * (GAUGE[0] - 2.0 * MARGIN)
        };
        (place(sir), place(limit))
    };
    let places = Memo::new(move |_| shown.found.with(|found| found.as_deref().map(ends)));
    let label = move || {
        shown.text(|found| {
            let [sir, limit] = [Term::Ratio, Term::RatioLimit].map(|term| term.text(found, None));
            format!("SIR {sir}, limit {limit}")
        })
    };
    let sir = move || places.get().map_or(MARGIN, |places| places.0);
    let limit = move || places.get().map_or(MARGIN, |places| places.1);
    let right = GAUGE[0] - MARGIN;
    let middle = GAUGE[1] / 2.0;
    view! {
        <div class="th-gauge">
            <svg viewBox=format!("0 0 {} {}", GAUGE[0], GAUGE[1]) role="img" aria-label=label>
                <line class="th-track" x1=MARGIN x2=right y1=middle y2=middle/>
                <line class="th-allowed" x1=MARGIN x2=limit y1=middle y2=middle/>
                <line class="th-limit" x1=limit x2=limit y1="3" y2=GAUGE[1] - 3.0/>
                <circle class="th-dot" cx=sir cy=middle r="6"/>
            </svg>
            <p class="th-key" aria-hidden="true">
                <span class="th-key-sir">"SIR"</span>
                <span class="th-key-limit">"1/γ"</span>
                <span>"left end: 1, no change"</span>
            </p>
        </div>
    }
}
