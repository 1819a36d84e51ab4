//! The out-of-trajectory example with two planners: one trusts its model everywhere, the other
//! stays in the neighbourhood.

use deepspi_playground::{SHORT_REVISION, VERSION};
use deepspi_plot::fixed;
use deepspi_theory::OutOfTrajectory;
use deepspi_theory::optimal;
use deepspi_theory::out_of_trajectory::{Comparison, Record};
use leptos::prelude::*;

use super::chain::Chain;
use super::details::is_open;
use super::dial::Dial;
use super::notation::neighbourhood_symbol;
use super::planners::{PLANNERS, both};
use super::signals::part;
use crate::neighbourhood::{STEPS, Settings, range};
use crate::page::charts::{LineChart, Provenance};
use crate::plot::{Dash, Reference, Series};

/// Labels and amounts of data between two improvements.
const DATA: [(&str, f64); 3] =
    [("Much new data: 1000", 1000.0), ("Little: 50", 50.0), ("None: the model stays wrong", 0.0)];

/// The whole example.
#[component]
pub fn TrapCard(
    /// The settings of the room.
    settings: RwSignal<Settings>,
) -> impl IntoView {
    let example = part(settings, |s| s.example);
    let result = Memo::new(move |_| example.get().run().map_err(|error| error.to_string()));
    let step = part(settings, |s| s.step);
    let lines = move |real: bool| {
        Signal::derive(move || {
            let last = step.get();
            result.with(|result| {
                let records = result.as_ref().map_or([&[][..]; 2], both);
                let line = |planner: usize| {
                    let value = |r: &Record| if real { r.true_return } else { r.model_return };
                    let shown = &records[planner][..records[planner].len().min(last + 1)];
                    Series {
                        label: PLANNERS[planner].into(),
                        colour: ["var(--mark)", "var(--agent-1)"][planner],
                        dash: [Dash::Solid, Dash::Dashed][planner],
                        points: shown.iter().map(|r| [r.iteration as f64, value(r)]).collect(),
                    }
                };
                vec![line(0), line(1)]
            })
        })
    };
    let references = Signal::derive(move || {
        let best = example.get().mdp().and_then(|mdp| optimal(&mdp)).ok();
        best.map(|best| Reference { label: "optimum".into(), value: best.values.start_return })
            .into_iter()
            .collect::<Vec<_>>()
    });
    let source = Signal::derive(move || {
        let OutOfTrajectory { epsilon, hallucinated_reward, true_reward, gamma, c, .. } =
            example.get();
        let data = example.get().steps_per_iteration;
        Provenance {
            text: format!(
                "out-of-trajectory example, exact: epsilon {epsilon}, reward {true_reward} believed \
                 to be {hallucinated_reward}, gamma {gamma}, C {c}, {data} new steps; DeepSPI in Rust \
                 {VERSION}, revision {SHORT_REVISION}"
            ),
            tag: format!("C {c} data {data}"),
        }
    });
    let range = Signal::stored(Some([0.0, STEPS as f64]));
    view! {
        <div class="card nb-card">
            <h4>"A wrong model: who falls for it?"</h4>
            <p>
                "Hardly any data comes from the region behind " <i>"a₂"</i>
                ". The model believes that it pays well; in truth it costs. Two planners improve in \
                 that model. One is greedy: it takes the best policy the model knows. The other takes \
                 the exact step in " {neighbourhood_symbol()} ". Here γ = "
                {move || fixed(example.get().gamma, 2)} "."
            </p>
            {move || result.get().err().map(|text| view! { <p class="notice fault">{text}</p> })}
            <Chain result=result step=step example=example/>
            <div class="nb-charts">
                <LineChart
                    title="Return in the world"
                    x_label="step"
                    y_label="V(start)"
                    series=lines(true)
                    references=references
                    x_range=range
                    source=source
                />
                <LineChart
                    title="Return the model believes in"
                    x_label="step"
                    y_label="believed V(start)"
                    series=lines(false)
                    references=references
                    x_range=range
                    source=source
                />
            </div>
            <p class="nb-note">{move || result.with(|result| story(result.as_ref().ok(), step.get()))}</p>
            <Parameters settings=settings/>
            <p class="nb-note">
                "The neighbourhood does not forbid " <i>"a₂"</i>
                ". It lets its probability grow by the factor C at most, so that data can correct \
                 the model before much is lost. The greedy planner is corrected, too, but only by \
                 data from its own bad policy: with less data it stays bad for longer. Without new \
                 data both end badly; the careful planner only does so later."
            </p>
            <RecordTable result=result step=step/>
        </div>
    }
}

/// A sentence about the last step.
fn story(comparison: Option<&Comparison>, step: usize) -> String {
    let Some(comparison) = comparison else { return String::new() };
    let last = |records: &[Record]| records.get(step).copied();
    let (Some(greedy), Some(safe)) =
        (last(&comparison.unconstrained), last(&comparison.constrained))
    else {
        return String::new();
    };
    if step == 0 {
        return format!(
            "Both begin with the policy that collected the data: {} in the world, {} in the model.",
            fixed(greedy.true_return, 2),
            fixed(greedy.model_return, 2)
        );
    }
    let text = |record: &Record| {
        format!(
            "gets {} where its model promises {}, and takes a₂ with probability {}",
            fixed(record.true_return, 2),
            fixed(record.model_return, 2),
            fixed(record.bait_probability, 3)
        )
    };
    format!(
        "Step {step}: the greedy planner {}. The planner in the neighbourhood {}.",
        text(&greedy),
        text(&safe)
    )
}

/// Controls for the parameters of the example.
#[component]
fn Parameters(settings: RwSignal<Settings>) -> impl IntoView {
    let read = move |get: fn(&OutOfTrajectory) -> f64| part(settings, move |s| get(&s.example));
    let limit = part(settings, |s| 1.0 / s.example.gamma);
    let data = read(|example| example.steps_per_iteration);
    view! {
        <div class="nb-buttons">
            {DATA
                .map(|(text, steps)| {
                    view! {
                        <button
                            type="button"
                            class="nb-small-button"
                            aria-pressed=move || (data.get() == steps).to_string()
                            on:click=move |_| {
                                settings.update(|s| s.example.steps_per_iteration = steps);
                            }
                        >
                            {text}
                        </button>
                    }
                })
                .collect_view()}
        </div>
        <Dial
            id="nb-trap-data"
            label="New data between two steps"
            value=data
            set=move |x| settings.update(|s| s.example.steps_per_iteration = x)
            range=range::DATA
            step=10.0
            digits=0
        />
        <Dial
            id="nb-trap-c"
            label="C of the careful planner"
            value=read(|e| e.c)
            set=move |x| settings.update(|s| s.example.c = x)
            range=range::TRAP_C
            step=0.001
            digits=3
            limit=(limit.into(), "1/γ")
        />
        <Dial
            id="nb-trap-epsilon"
            label="Probability of a₂ in the old data"
            value=read(|e| e.epsilon)
            set=move |x| settings.update(|s| s.example.epsilon = x)
            range=range::EPSILON
            step=0.001
            digits=3
        />
        <Dial
            id="nb-trap-belief"
            label="Reward the model imagines behind a₂"
            value=read(|e| e.hallucinated_reward)
            set=move |x| settings.update(|s| s.example.hallucinated_reward = x)
            range=range::BELIEF
            step=0.5
            digits=1
        />
    }
}

/// A table of the numbers in the charts.
#[component]
fn RecordTable(result: Memo<Result<Comparison, String>>, step: Memo<usize>) -> impl IntoView {
    let rows = move || {
        let last = step.get();
        result.with(|result| {
            result.as_ref().ok().map(|comparison| {
                let [greedy, safe] = both(comparison);
                greedy
                    .iter()
                    .zip(safe)
                    .take(last + 1)
                    .map(|(greedy, safe)| {
                        let cells = |record: &Record| {
                            let numbers = [record.true_return, record.model_return];
                            view! {
                                {numbers.map(|x| view! { <td>{fixed(x, 2)}</td> })}
                                <td>{fixed(record.bait_probability, 3)}</td>
                            }
                        };
                        view! {
                            <tr>
                                <th scope="row">{greedy.iteration}</th>
                                {cells(greedy)}
                                {cells(safe)}
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
            <summary>"The returns as a table"</summary>
            <div class="nb-scroll" tabindex="0" role="region" aria-label="Returns of both planners">
                <table>
                    <thead>
                        <tr>
                            <th scope="col" rowspan="2">"step"</th>
                            <th scope="colgroup" colspan="3">"greedy"</th>
                            <th scope="colgroup" colspan="3">"in " {neighbourhood_symbol()}</th>
                        </tr>
                        <tr>
                            {["world", "model", "P(a₂)", "world", "model", "P(a₂)"]
                                .map(|name| view! { <th scope="col">{name}</th> })}
                        </tr>
                    </thead>
                    <tbody>{move || open.get().then(rows)}</tbody>
                </table>
            </div>
        </details>
    }
}
