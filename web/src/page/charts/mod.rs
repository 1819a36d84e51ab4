//! Line charts and scatter plots, as SVG in the page's colours.
//!
//! [`crate::plot`] computes the pictures; this module puts them on the page, lets users read values
//! with pointer and keyboard, and saves them. To a screen reader a picture is a single image, so
//! the interactive parts (the read-out, the menu) are beside it and not in it.
//!
//! Redrawing with every message of the worker would make the page slow, so the data of charts must
//! come from [`paced`] signals.

mod agents;
mod export;
mod line;
mod measure;
mod pace;
mod pick;
mod save;
mod scatter;

pub use agents::{
    AGENT_STEPS, AgentCurves, COLOURS, DASHES, ModelLossCharts, RatioChart, StartValueChart,
};
pub use export::{Standalone, font, png_of};
use leptos::prelude::*;
use leptos::svg::Svg;
pub use line::LineChart;
pub use measure::width_of;
pub use pace::paced;
pub use save::{Provenance, SaveMenu, as_shown, of_run};
pub use scatter::Scatter;

use crate::plot::Picture;

/// A picture as SVG, in pixels of the page.
#[component]
pub fn Drawing(
    /// What to draw.
    picture: Memo<Picture>,
    /// Receives the SVG element, for saving it.
    svg: NodeRef<Svg>,
) -> impl IntoView {
    let size = Memo::new(move |_| picture.with(|picture| picture.size));
    let strokes = move || {
        picture.with(|picture| {
            let path = |stroke: &crate::plot::Stroke| {
                view! {
                    <path
                        class=stroke.class
                        d=stroke.path.clone()
                        color=stroke.colour.clone()
                        stroke-dasharray=stroke.dash.pattern()
                    />
                }
            };
            picture.strokes.iter().map(path).collect_view()
        })
    };
    let labels = move || {
        picture.with(|picture| {
            let text = |label: &crate::plot::Label| {
                let [x, y] = label.at;
                view! {
                    <text class=label.class x=x y=y color=label.colour>
                        {label.text.clone()}
                    </text>
                }
            };
            picture.labels.iter().map(text).collect_view()
        })
    };
    view! {
        <svg
            node_ref=svg
            class="chart-picture"
            role="img"
            aria-label=move || picture.with(|picture| picture.summary.clone())
            viewBox=move || {
                let [width, height] = size.get();
                format!("0 0 {width:.0} {height:.0}")
            }
            width=move || size.get()[0]
            height=move || size.get()[1]
        >
            <g>{strokes}</g>
            <g>{labels}</g>
        </svg>
    }
}
