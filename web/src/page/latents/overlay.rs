//! The layer over the points: names, numbers along the axes, and the ring of the selection.

use deepspi_playground::scene::labels::{Label, labels};
use deepspi_playground::scene::picture::Window;
use leptos::prelude::*;

use super::model::Panel;
use crate::plot::Tick;

/// Radius of the ring, in CSS pixels.
const RING: f32 = 15.0;

/// The layer over the canvases. It is hidden from screen readers, for which the picker gives the
/// same information in words.
#[component]
pub fn Overlay(panel: Panel) -> impl IntoView {
    let names = move || {
        let window = panel.window.get();
        let roles = panel.roles();
        let sides = panel.sides.get();
        let labels = panel.shot.with(|shot| labels(&window, roles, &shot.points, sides));
        let text = |label: Label| {
            view! { <text class="name" x=label.at[0] y=label.at[1]>{label.text}</text> }
        };
        labels.filter(|_| window.is_open()).map(|labels| labels.map(text).collect_view())
    };
    let ring = move || {
        let place = panel.desk.focus().and_then(|state| panel.places().get(state).copied());
        place.map(|[x, y]| {
            view! {
                <circle class="ring-halo" cx=x cy=y r=RING></circle>
                <circle class="ring" cx=x cy=y r=RING></circle>
            }
        })
    };
    view! {
        <svg class="latents-overlay" aria-hidden="true">
            {move || numbers(panel.window.get())} {names} {ring}
        </svg>
    }
}

fn numbers(window: Window) -> Option<impl IntoView> {
    let height = f64::from(window.size[1]);
    let number = move |axis: usize, tick: Tick| {
        let (class, [x, y]) = if axis == 0 {
            ("number below", [tick.at, height - 8.0])
        } else {
            ("number left", [5.0, tick.at])
        };
        view! { <text class=class x=x y=y>{tick.label}</text> }
    };
    let along = |axis: usize| {
        window.numbers(axis).into_iter().map(|tick| number(axis, tick)).collect_view()
    };
    window.is_open().then(|| view! { {along(0)} {along(1)} })
}
