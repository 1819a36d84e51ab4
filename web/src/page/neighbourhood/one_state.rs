//! Part 1: a policy, its neighbourhood, and the exact step.

use deepspi_plot::fixed;
use deepspi_theory::Violation;
use leptos::prelude::*;

use super::dial::{Dial, NumberBox};
use super::notation::{action_name, neighbourhood_symbol};
use super::signals::part;
use super::triangle::Triangle;
use crate::neighbourhood::one_state::{Findings, OneState};
use crate::neighbourhood::{Settings, range};
use crate::simplex::{ACTIONS, Distribution, with_probability};

/// Example values of `C` and gamma, with labels.
const EXAMPLES: [(&str, f64, f64); 3] = [
    ("Easy to see: γ 0.6, C 1.4", 0.6, 1.4),
    ("Usual in practice: γ 0.99, C 1.1", 0.99, 1.1),
    ("What the theorems allow: γ 0.99, C 1.005", 0.99, 1.005),
];
/// Actions, with ids and labels for their values.
const VALUES: [(usize, &str, &str); ACTIONS] =
    [(0, "nb-q-0", "Q of a₁"), (1, "nb-q-1", "Q of a₂"), (2, "nb-q-2", "Q of a₃")];
/// Largest ratio on the gauge, which starts at 0.
const GAUGE_END: f64 = 2.1;
/// Width of the gauge in pixels.
const GAUGE: f64 = 120.0;

/// The whole part.
#[component]
pub fn OneStatePart(
    /// The settings of the room.
    settings: RwSignal<Settings>,
) -> impl IntoView {
    let asked = part(settings, |s| (s.state, s.c, s.gamma));
    let result = Memo::new(move |_| {
        let (state, c, gamma) = asked.get();
        state.findings(c, gamma).map_err(|error| error.to_string())
    });
    let findings = Memo::new(move |_| result.get().ok());
    let close = RwSignal::new(false);
    view! {
        <section class="nb-part" id="nb-one-state" aria-labelledby="nb-one-state-title">
            <h3 id="nb-one-state-title">"1. How far may a policy move?"</h3>
            <p>
                "One state, three actions: a policy is a point in the triangle. Its neighbourhood "
                {neighbourhood_symbol()} " holds every policy " <i>"π′"</i> " with "
                <span class="nb-formula">"2 − C ≤ π′(a|s) / π(a|s) ≤ C"</span>
                " for each action. Drag the two points, or click to put " <i>"π′"</i> " somewhere. \
                 With the keyboard: Tab to a point, then the arrow keys (with Shift: larger steps)."
            </p>
            <div class="nb-split">
                <div class="nb-figure">
                    <Triangle settings=settings findings=findings close=close/>
                    <Legend/>
                    <Moves settings=settings findings=findings close=close/>
                    <Advantages settings=settings/>
                </div>
                <div class="nb-panel">
                    <Radius settings=settings prefix="nb"/>
                    <div class="nb-buttons">
                        {EXAMPLES
                            .map(|(text, gamma, c)| {
                                let choose = move |_| {
                                    settings.update(|s| (s.gamma, s.c) = (gamma, c));
                                    close.set(c < 1.2);
                                };
                                view! { <button type="button" class="nb-small-button" on:click=choose>{text}</button> }
                            })
                            .collect_view()}
                    </div>
                    {move || result.get().err().map(|text| view! { <p class="notice fault">{text}</p> })}
                    <Verdict settings=settings findings=findings/>
                    <Policies settings=settings findings=findings/>
                    <Step findings=findings/>
                </div>
            </div>
        </section>
    }
}

/// Sliders for `C` and gamma; the range of `C` above 1 / gamma is marked.
#[component]
pub fn Radius(
    /// The settings of the room.
    settings: RwSignal<Settings>,
    /// Prefix of the ids, different for each use of this component.
    prefix: &'static str,
) -> impl IntoView {
    let gamma = part(settings, |s| s.gamma);
    let ids = match prefix {
        "nb" => ["nb-c", "nb-gamma"],
        _ => ["nb-c-again", "nb-gamma-again"],
    };
    view! {
        <Dial
            id=ids[0]
            label="C, the radius"
            value=part(settings, |s| s.c)
            set=move |c| settings.update(|s| s.c = c)
            range=range::C
            step=0.001
            digits=3
            limit=(Signal::derive(move || 1.0 / gamma.get()), "1/γ")
        />
        <Dial
            id=ids[1]
            label="γ, the discount"
            value=gamma
            set=move |gamma| settings.update(|s| s.gamma = gamma)
            range=range::GAMMA
            step=0.001
            digits=3
        />
    }
}

/// The legend of the triangle.
#[component]
fn Legend() -> impl IntoView {
    view! {
        <ul class="nb-legend" aria-label="Legend">
            <li>
                <svg class="nb-key" viewBox="0 0 24 16" aria-hidden="true">
                    <g class="nb-behaviour"><circle class="nb-dot" cx="12" cy="8" r="6"/></g>
                </svg>
                <span><i>"π"</i> ", which collected the data"</span>
            </li>
            <li>
                <svg class="nb-key" viewBox="0 0 24 16" aria-hidden="true">
                    <g class="nb-target"><rect class="nb-dot" x="6" y="2" width="12" height="12" rx="2"/></g>
                </svg>
                <span><i>"π′"</i> ", the policy asked about"</span>
            </li>
            <li>
                <svg class="nb-key" viewBox="0 0 24 16" aria-hidden="true">
                    <rect class="nb-region" x="2" y="2" width="20" height="12"/>
                </svg>
                <span>"neighbourhood " {neighbourhood_symbol()}</span>
            </li>
            <li>
                <svg class="nb-key" viewBox="0 0 24 16" aria-hidden="true">
                    <path class="nb-limit-line" d="M1 8H23"/>
                </svg>
                "where it would end with C = 1/γ"
            </li>
            <li>
                <svg class="nb-key" viewBox="0 0 24 16" aria-hidden="true">
                    <path class="nb-arrow" d="M1 8H15"/>
                    <path class="nb-arrowhead" d="M14 3L23 8L14 13z"/>
                </svg>
                "the exact step"
            </li>
            <li>
                <svg class="nb-key" viewBox="0 0 24 16" aria-hidden="true">
                    <path class="nb-level" d="M1 8H23"/>
                </svg>
                "policies as good as the step"
            </li>
        </ul>
    }
}

/// Buttons that move the points.
#[component]
fn Moves(
    settings: RwSignal<Settings>,
    findings: Memo<Option<Findings>>,
    close: RwSignal<bool>,
) -> impl IntoView {
    let best = move || findings.with_untracked(|found| found.as_ref().map(|found| found.best));
    let move_target = move |_| {
        if let Some(best) = best() {
            settings.update(|s| s.state.target = best);
        }
    };
    let take_step = move |_| {
        if let Some(best) = best() {
            settings.update(|s| s.state.behaviour = best);
        }
    };
    let back = move |_| {
        let initial = Settings::default();
        settings.update(|s| (s.state, s.c, s.gamma) = (initial.state, initial.c, initial.gamma));
        close.set(false);
    };
    view! {
        <div class="nb-buttons">
            <button type="button" class="nb-small-button" on:click=move_target>
                "Put π′ at the exact step"
            </button>
            <button type="button" class="nb-small-button" on:click=take_step>
                "Take the step: π moves there"
            </button>
            <button
                type="button"
                class="nb-small-button"
                aria-pressed=move || close.get().to_string()
                on:click=move |_| close.update(|close| *close = !*close)
            >
                "Zoom in"
            </button>
            <button type="button" class="nb-small-button" on:click=back>"Start over"</button>
        </div>
    }
}

/// States whether the new policy is in the neighbourhood, its largest violation, and whether the
/// theorems' premise on ratios holds.
#[component]
fn Verdict(settings: RwSignal<Settings>, findings: Memo<Option<Findings>>) -> impl IntoView {
    let radius = part(settings, |s| (s.c, s.gamma));
    let membership = move || {
        findings.with(|found| found.as_ref().map(|found| found.violation.as_ref().map(explain)))
    };
    let extremes = move || {
        findings.with(|found| {
            found.as_ref().map(|found| {
                let at = |(_, action): (usize, usize)| action_name(action);
                let ratios = &found.ratios;
                view! {
                    <dt>"largest ratio " <span class="nb-formula">"D" <sup>"sup"</sup></span> ", SIR"</dt>
                    <dd>{fixed(ratios.sup, 3)} " at (s, " {at(ratios.sup_at)} ")"</dd>
                    <dt>"smallest ratio " <span class="nb-formula">"D" <sup>"inf"</sup></span></dt>
                    <dd>{fixed(ratios.inf, 3)} " at (s, " {at(ratios.inf_at)} ")"</dd>
                }
            })
        })
    };
    let premise = move || {
        let (c, gamma) = radius.get();
        findings.with(|found| found.as_ref().map(|found| premise_text(found, c, 1.0 / gamma)))
    };
    view! {
        <div class="nb-verdict card">
            {move || {
                membership()
                    .map(|witness| match witness {
                        None => {
                            view! {
                                <p class="nb-good">
                                    <span class="nb-mark" aria-hidden="true">"✓ "</span>
                                    <i>"π′"</i> " is in " {neighbourhood_symbol()} ": every ratio is within "
                                    {move || {
                                        let (c, _) = radius.get();
                                        format!("[{}, {}]", fixed(2.0 - c, 3), fixed(c, 3))
                                    }} "."
                                </p>
                            }
                                .into_any()
                        }
                        Some(text) => {
                            view! {
                                <p class="nb-bad">
                                    <span class="nb-mark" aria-hidden="true">"✗ "</span>
                                    <i>"π′"</i> " is outside " {neighbourhood_symbol()} ". Witness: " {text}
                                </p>
                            }
                                .into_any()
                        }
                    })
            }}
            <dl class="nb-numbers">{extremes}</dl>
            {move || {
                premise()
                    .map(|(good, text)| {
                        view! {
                            <p class:nb-good=good class:nb-bad=!good>
                                <span class="nb-mark" aria-hidden="true">{if good { "✓ " } else { "✗ " }}</span>
                                {text}
                            </p>
                        }
                    })
            }}
        </div>
    }
}

/// A sentence that says why a policy is outside the neighbourhood.
fn explain(violation: &Violation) -> String {
    let (_, action) = violation.place();
    let place = format!("state s, action {}", action_name(action));
    match *violation {
        Violation::RatioAbove { ratio, limit, excess, .. } => format!(
            "{place}, with ratio {}, above C = {} by {}.",
            fixed(ratio, 3),
            fixed(limit, 3),
            fixed(excess, 3)
        ),
        Violation::RatioBelow { ratio, limit, excess, .. } => format!(
            "{place}, with ratio {}, below 2 − C = {} by {}.",
            fixed(ratio, 3),
            fixed(limit, 3),
            fixed(excess, 3)
        ),
        Violation::SupportGained { probability, .. } => format!(
            "{place}. π never takes it, π′ does with probability {}. No ratio bounds that.",
            fixed(probability, 3)
        ),
        Violation::SupportLost { probability, .. } => format!(
            "{place}. π takes it with probability {}, π′ never. Both must have the same support.",
            fixed(probability, 3)
        ),
    }
}

/// Whether the premise of Theorems 2 and 3 on ratios holds for this policy, with a sentence that
/// also covers all policies of the neighbourhood.
fn premise_text(found: &Findings, c: f64, limit: f64) -> (bool, String) {
    let here = if found.ratios.gained.is_some() {
        "fails for this π′: it takes an action that π never takes".to_owned()
    } else if found.premise_holds {
        format!("holds for this π′: its largest ratio is below 1/γ = {}", fixed(limit, 3))
    } else {
        format!("fails for this π′: its largest ratio is not below 1/γ = {}", fixed(limit, 3))
    };
    let whole = if c < limit {
        "Since C is below 1/γ, it holds for every policy in the neighbourhood."
    } else {
        "Since C is not below 1/γ, being in the neighbourhood is not enough for it."
    };
    let text = format!("The premise of Theorems 2 and 3 on ratios {here}. {whole}");
    (found.premise_holds, text)
}

/// A table of both policies and their ratios.
#[component]
fn Policies(settings: RwSignal<Settings>, findings: Memo<Option<Findings>>) -> impl IntoView {
    let boxed =
        move |action: usize, name: &'static str, get: fn(&mut OneState) -> &mut Distribution| {
            let value = part(settings, move |s| get(&mut s.state.clone())[action]);
            let set = move |p: f64| {
                settings.update(|s| {
                    let policy = get(&mut s.state);
                    *policy = with_probability(*policy, action, p);
                });
            };
            view! {
                <NumberBox
                    id=format!("nb-{name}-{action}")
                    label=format!("Probability of {} under {name}", action_name(action))
                    value=value
                    set=set
                    range=[0.0, 1.0]
                    step=0.01
                    digits=3
                />
            }
        };
    let ratio = |action: usize| {
        Memo::new(move |_| findings.with(|found| found.as_ref().and_then(|f| f.ratio[action])))
    };
    let limits = part(settings, |s| (s.c, 1.0 / s.gamma));
    view! {
        <table class="nb-table">
            <caption>"Probabilities and their ratios"</caption>
            <thead>
                <tr>
                    <th scope="col"><span class="visually-hidden">"Action"</span></th>
                    <th scope="col"><i>"π"</i></th>
                    <th scope="col"><i>"π′"</i></th>
                    <th scope="col">"ratio " <i>"π′/π"</i></th>
                </tr>
            </thead>
            <tbody>
                {(0..ACTIONS)
                    .map(|action| {
                        let ratio = ratio(action);
                        view! {
                            <tr>
                                <th scope="row">{action_name(action)}</th>
                                <td>{boxed(action, "π", |state| &mut state.behaviour)}</td>
                                <td>{boxed(action, "π′", |state| &mut state.target)}</td>
                                <td>
                                    <div class="nb-ratio">
                                        <span class="nb-figures">
                                            {move || ratio.get().map_or_else(|| "none".to_owned(), |x| fixed(x, 4))}
                                        </span>
                                        <Gauge ratio=ratio limits=limits/>
                                    </div>
                                </td>
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
    }
}

/// A gauge of a ratio; the allowed range is filled.
#[component]
fn Gauge(ratio: Memo<Option<f64>>, limits: Memo<(f64, f64)>) -> impl IntoView {
    let at = |x: f64| 4.0 + (GAUGE - 8.0) * (x / GAUGE_END).clamp(0.0, 1.0);
    let outside =
        move || ratio.get().is_none_or(|x| x > limits.get().0 || x < 2.0 - limits.get().0);
    let has_limit = move || limits.get().1 <= GAUGE_END;
    view! {
        <svg class="nb-gauge" preserveAspectRatio="xMinYMid" viewBox=format!("0 0 {GAUGE} 20") aria-hidden="true">
            <path class="nb-gauge-line" d=format!("M4 10H{}", GAUGE - 4.0)/>
            <rect
                class="nb-gauge-range"
                y="5"
                height="10"
                x=move || at(2.0 - limits.get().0)
                width=move || at(limits.get().0) - at(2.0 - limits.get().0)
            />
            <path class="nb-gauge-tick" d=format!("M{0} 4V16", at(1.0))/>
            <path
                class="nb-gauge-limit"
                class:nb-shown=has_limit
                d=move || format!("M{0} 1V19", at(limits.get().1))
            />
            <rect
                class="nb-gauge-dot"
                class:nb-outside=outside
                class:nb-shown=move || ratio.get().is_some()
                y="5.5"
                width="9"
                height="9"
                rx="1.5"
                x=move || at(ratio.get().unwrap_or(0.0)) - 4.5
            />
        </svg>
    }
}

/// Controls for the values of the actions.
#[component]
fn Advantages(settings: RwSignal<Settings>) -> impl IntoView {
    view! {
        <p class="nb-note">
            "How good is each action? The advantages follow: " <i>"A = Q − V"</i>
            ". The arrow is the exact step for them."
        </p>
        <div class="nb-values" role="group" aria-label="Values of the actions">
            {VALUES
                .map(|(action, id, label)| {
                    view! {
                        <Dial
                            id=id
                            label=label
                            value=part(settings, move |s| s.state.values[action])
                            set=move |x| settings.update(|s| s.state.values[action] = x)
                            range=range::VALUE
                            step=0.05
                            digits=2
                        />
                    }
                })
                .collect_view()}
        </div>
    }
}

/// A table of the exact step.
#[component]
fn Step(findings: Memo<Option<Findings>>) -> impl IntoView {
    let number = move |read: fn(&Findings) -> f64| {
        move || findings.with(|found| found.as_ref().map_or(f64::NAN, read))
    };
    let cell = move |read: fn(&Findings, usize) -> Option<f64>, action: usize, digits: usize| {
        move || {
            findings
                .with(|found| found.as_ref().and_then(|found| read(found, action)))
                .map_or_else(|| "none".to_owned(), |x| fixed(x, digits))
        }
    };
    view! {
        <table class="nb-table">
            <caption>"The exact step"</caption>
            <thead>
                <tr>
                    <th scope="col"><span class="visually-hidden">"Action"</span></th>
                    <th scope="col">"advantage " <i>"A"</i></th>
                    <th scope="col">"probability"</th>
                    <th scope="col">"ratio"</th>
                </tr>
            </thead>
            <tbody>
                {(0..ACTIONS)
                    .map(|action| {
                        view! {
                            <tr>
                                <th scope="row">{action_name(action)}</th>
                                <td>{cell(|found, action| Some(found.advantage[action]), action, 2)}</td>
                                <td>{cell(|found, action| Some(found.best[action]), action, 3)}</td>
                                <td>{cell(|found, action| found.best_ratio[action], action, 4)}</td>
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
        <p class="nb-note">
            "The exact step is the best policy of " {neighbourhood_symbol()}
            ". The best actions get ratio C, the worst 2 − C, and one in between gets the rest. Only \
             the order of the advantages matters. V(s) is "
            <span class="nb-figures">{move || fixed(number(|found| found.value[0])(), 3)}</span>
            " under " <i>"π"</i> ", "
            <span class="nb-figures">{move || fixed(number(|found| found.value[1])(), 3)}</span>
            " under " <i>"π′"</i> ", and "
            <span class="nb-figures">{move || fixed(number(|found| found.value[2])(), 3)}</span>
            " after the step."
        </p>
    }
}
