//! Part 2: exact safe policy iteration, and planners with a wrong model, step by step.

use deepspi_playground::{SHORT_REVISION, VERSION};
use deepspi_plot::fixed;
use leptos::prelude::*;

use super::details::is_open;
use super::dial::NumberBox;
use super::notation::{action_name, neighbourhood_symbol, state_name};
use super::one_state::Radius;
use super::player::Player;
use super::signals::part;
use super::small::SmallTriangle;
use super::trap::TrapCard;
use crate::neighbourhood::iteration::{STATES, SafeIteration};
use crate::neighbourhood::{STEPS, Settings, range};
use crate::page::charts::{LineChart, Provenance};
use crate::plot::{Dash, Reference, Series};

/// The whole part.
#[component]
pub fn StepsPart(
    /// The settings of the room.
    settings: RwSignal<Settings>,
) -> impl IntoView {
    view! {
        <section class="nb-part" aria-labelledby="nb-steps-title">
            <h3 id="nb-steps-title">"2. Why stay near?"</h3>
            <p>
                "Both sides improve a policy step by step, each according to its model. On the \
                 left the model is right, and every step helps. On the right it is wrong in a \
                 region with hardly any data."
            </p>
            <Player settings=settings/>
            <div class="nb-cards">
                <SafeCard settings=settings/>
                <TrapCard settings=settings/>
            </div>
        </section>
    }
}

/// The exact safe policy iteration.
#[component]
fn SafeCard(settings: RwSignal<Settings>) -> impl IntoView {
    let asked = part(settings, |s| (s.seed, s.gamma, s.c));
    let result = Memo::new(move |_| {
        let (seed, gamma, c) = asked.get();
        SafeIteration::new(seed, gamma, c).map_err(|error| error.to_string())
    });
    let iteration = Memo::new(move |_| result.get().ok());
    let step = part(settings, |s| s.step);
    let series = Signal::derive(move || {
        let points = iteration.with(|iteration| {
            iteration.as_ref().map_or_else(Vec::new, |iteration| {
                let value = |step: usize| iteration.values(step).start_return;
                (0..=step.get()).map(|step| [step as f64, value(step)]).collect()
            })
        });
        vec![Series {
            label: "in the world = in the model".into(),
            colour: "var(--agent-0)",
            dash: Dash::Solid,
            points: points.into(),
        }]
    });
    let references = Signal::derive(move || {
        iteration.with(|iteration| {
            let optimum = iteration.as_ref().map(|iteration| iteration.optimum().start_return);
            optimum
                .map(|value| Reference { label: "optimum".into(), value })
                .into_iter()
                .collect::<Vec<_>>()
        })
    });
    let source = Signal::derive(move || {
        let (seed, gamma, c) = asked.get();
        Provenance {
            text: format!(
                "exact safe policy iteration, random world {seed} of {STATES} states, gamma {gamma}, \
                 C {c}; DeepSPI in Rust {VERSION}, revision {SHORT_REVISION}"
            ),
            tag: format!("world {seed} C {c}"),
        }
    });
    let last = move || {
        let step = step.get();
        let found = iteration.with(|iteration| iteration.as_ref()?.last(step));
        found.map_or_else(
            || "The policy is uniform: every action has probability 1/3.".to_owned(),
            |(ratios, least)| {
                let (state, action) = ratios.sup_at;
                format!(
                    "Step {step}: no state's value fell; the smallest change was {}. The largest ratio was {}, at state {}, action {}.",
                    fixed(least.max(0.0), 4),
                    fixed(ratios.sup, 3),
                    state_name(state),
                    action_name(action)
                )
            },
        )
    };
    view! {
        <div class="card nb-card">
            <h4>"A right model: values rise"</h4>
            <p>
                "Theorem 1: take the exact step of part 1 in every state, compute the advantages anew, \
                 repeat. No state's value ever falls, and the values rise to the optimum. Any C between \
                 1 and 2 will do here, also beyond 1/\u{2060}γ."
            </p>
            {move || result.get().err().map(|text| view! { <p class="notice fault">{text}</p> })}
            <LineChart
                title="Safe policy iteration"
                x_label="step"
                y_label="V(start)"
                series=series
                references=references
                x_range=Signal::stored(Some([0.0, STEPS as f64]))
                source=source
            />
            <p class="nb-note">{last}</p>
            <div class="nb-smalls" role="group" aria-label="The policy in each state">
                {(0..STATES)
                    .map(|state| {
                        view! { <SmallTriangle settings=settings iteration=iteration state=state/> }
                    })
                    .collect_view()}
            </div>
            <p class="nb-note">
                "The policy of each state, with " {neighbourhood_symbol()}
                " and its path. Click one to open it in part 1. C and γ are those of part 1."
            </p>
            <Radius settings=settings prefix="nb-again"/>
            <div class="nb-dial">
                <label for="nb-seed">"Seed of the random world"</label>
                <NumberBox
                    id="nb-seed"
                    label="Seed of the random world"
                    value=part(settings, |s| s.seed as f64)
                    set=move |seed| settings.update(|s| s.seed = seed.round() as u64)
                    range=[0.0, range::LARGEST_SEED as f64]
                    step=1.0
                    digits=0
                />
            </div>
            <ValueTable settings=settings iteration=iteration/>
        </div>
    }
}

/// A table of the numbers in the chart.
#[component]
fn ValueTable(
    settings: RwSignal<Settings>,
    iteration: Memo<Option<SafeIteration>>,
) -> impl IntoView {
    let step = part(settings, |s| s.step);
    let rows = move || {
        let last = step.get();
        iteration.with(|iteration| {
            iteration.as_ref().map(|iteration| {
                (0..=last)
                    .map(|step| {
                        let values = &iteration.values(step).v;
                        view! {
                            <tr>
                                <th scope="row">{step}</th>
                                {values[..STATES].iter().map(|v| view! { <td>{fixed(*v, 3)}</td> }).collect_view()}
                            </tr>
                        }
                    })
                    .collect_view()
            })
        })
    };
    let open = RwSignal::new(false);
    view! {
        <details class="nb-details" on:toggle=move |event| open.set(is_open(&event))>
            <summary>"The values as a table"</summary>
            <div class="nb-scroll" tabindex="0" role="region" aria-label="Values of all states">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"step"</th>
                            {(0..STATES)
                                .map(|state| view! { <th scope="col">"V of " {state_name(state)}</th> })
                                .collect_view()}
                        </tr>
                    </thead>
                    <tbody>{move || open.get().then(rows)}</tbody>
                </table>
            </div>
        </details>
    }
}
