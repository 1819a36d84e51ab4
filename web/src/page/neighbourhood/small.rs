//! The triangles of part 2: one for each state, with the path of its policy.

use deepspi_plot::fixed;
use leptos::prelude::*;

use super::notation::{action_name, probabilities, state_name};
use super::signals::part;
use super::triangle::{outline, polygon};
use crate::neighbourhood::Settings;
use crate::neighbourhood::iteration::SafeIteration;
use crate::neighbourhood::one_state::OneState;
use crate::simplex::{Point, View};

const SIZE: Point = [120.0, 108.0];
const MARGIN: f64 = 6.0;
/// Ratios that differ from 1 by less than this are not shown as a change.
const STILL: f64 = 5e-4;

/// The policy of one state after a step; a click opens it in the large triangle.
#[component]
pub fn SmallTriangle(
    /// The settings of the room.
    settings: RwSignal<Settings>,
    /// The steps of the iteration.
    iteration: Memo<Option<SafeIteration>>,
    /// Which state.
    state: usize,
) -> impl IntoView {
    let view = View::whole(SIZE, MARGIN);
    let step = part(settings, |s| s.step);
    let here = Memo::new(move |_| {
        iteration.with(|iteration| {
            let iteration = iteration.as_ref()?;
            let behaviour = iteration.policy(step.get(), state);
            let values = iteration.action_values(step.get(), state);
            Some(OneState { behaviour, target: behaviour, values })
        })
    });
    let radius = part(settings, |s| (s.c, s.gamma));
    let findings = Memo::new(move |_| {
        let (c, gamma) = radius.get();
        here.get().and_then(|here| here.findings(c, gamma).ok())
    });
    let way = move || {
        iteration.with(|iteration| {
            iteration.as_ref().map_or_else(String::new, |iteration| {
                let policies: Vec<_> =
                    (0..=step.get()).map(|step| iteration.policy(step, state)).collect();
                polygon(&view, &policies)
            })
        })
    };
    let value = move || {
        iteration.with(|iteration| {
            iteration.as_ref().map_or(f64::NAN, |iteration| iteration.values(step.get()).v[state])
        })
    };
    let witness = move || {
        iteration.with(|iteration| {
            let (ratios, _) = iteration.as_ref()?.last(step.get())?;
            let is_here = ratios.sup_at.0 == state && ratios.sup > 1.0 + STILL;
            is_here.then_some(ratios.sup_at.1)
        })
    };
    let at = move || {
        let [x, y] = view.point(here.get().unwrap_or_default().behaviour);
        format!("translate({x:.2} {y:.2})")
    };
    let open = move |_| {
        if let (Some(here), Some(found)) = (here.get_untracked(), findings.get_untracked()) {
            let state = OneState { target: found.best, ..here };
            settings.update(|s| s.state = state);
            if let Some(part) = document().get_element_by_id("nb-one-state") {
                part.scroll_into_view();
            }
        }
    };
    let name = state_name(state);
    let details = move || {
        let policy = probabilities(here.get().unwrap_or_default().behaviour, 2);
        format!("{policy}. Show it in the large triangle.")
    };
    view! {
        <button
            type="button"
            class="nb-small"
            class:nb-witness=move || witness().is_some()
            on:click=open
        >
            <svg viewBox=format!("0 0 {} {}", SIZE[0], SIZE[1]) aria-hidden="true">
                <polygon class="nb-field" points=outline(&view)/>
                <polygon
                    class="nb-region"
                    points=move || {
                        findings
                            .with(|found| {
                                found.as_ref().map_or_else(String::new, |f| polygon(&view, &f.corners))
                            })
                    }
                />
                <polyline class="nb-way" points=way/>
                <g class="nb-behaviour" transform=at>
                    <circle class="nb-dot" r="4"/>
                </g>
            </svg>
            <span class="nb-small-text">{name}</span>
            <span class="nb-small-text">{move || format!("V {}", fixed(value(), 3))}</span>
            <span class="nb-small-text nb-small-witness">
                {move || witness().map(|action| format!("largest ratio {}", action_name(action)))}
            </span>
            <span class="visually-hidden">{details}</span>
        </button>
    }
}
