//! The legend of colours and shapes.

use deepspi_playground::scene::colour::{to_css, viridis};
use deepspi_playground::scene::picture::star_corners;
use leptos::prelude::*;

use super::model::Desk;
use crate::plot::{Axis, Tick};

/// Colour bar and legend of both panels.
#[component]
pub fn ColourBar() -> impl IntoView {
    let desk = Desk::here();
    let palette = viridis();
    let last = palette.len().saturating_sub(1).max(1);
    let stop = |(index, colour)| {
        let offset = format!("{}%", 100 * index / last);
        view! { <stop offset=offset stop-color=to_css(colour)></stop> }
    };
    let stops = palette.into_iter().enumerate().map(stop).collect_view();
    let numbers = move || {
        let [low, high] = desk.range.get();
        let number = |tick: Tick| {
            // Numbers at the ends are aligned so that they stay within the bar.
            let class = match tick.at {
                ..2.0 => "number from",
                98.0.. => "number to",
                _ => "number",
            };
            let x = format!("{:.2}%", tick.at);
            view! { <text class=class x=x y="30">{tick.label}</text> }
        };
        // Positions in per cent of the bar's width.
        let axis = Axis::between(low.into(), high.into(), [0.0, 100.0], 25.0);
        axis.ticks().into_iter().map(number).collect_view()
    };
    view! {
        <div class="latents-legend">
            <figure class="latents-bar">
                <figcaption>"Colour: V, the exact value of the agent's policy in the cell"</figcaption>
                <svg aria-hidden="true">
                    <defs>
                        <linearGradient id="latents-palette">{stops}</linearGradient>
                    </defs>
                    <rect width="100%" height="14" fill="url(#latents-palette)"></rect>
                    {numbers}
                </svg>
            </figure>
            <ul class="latents-shapes">
                <li>{star(true)} "upper star"</li>
                <li>{star(false)} "lower star"</li>
                <li>
                    <svg aria-hidden="true" viewBox="-10 -10 20 20">
                        <rect x="-6" y="-6" width="12" height="12"></rect>
                    </svg>
                    "start"
                </li>
                <li>
                    <svg aria-hidden="true" viewBox="-10 -10 20 20"><circle r="5.5"></circle></svg>
                    "any other cell"
                </li>
            </ul>
        </div>
    }
}

fn star(up: bool) -> impl IntoView {
    let corners = star_corners([0.0; 2], 9.5, up).map(|[x, y]| format!("{x:.2},{y:.2}"));
    view! {
        <svg aria-hidden="true" viewBox="-10 -10 20 20">
            <polygon points=corners.join(" ")></polygon>
        </svg>
    }
}
