//! Charts: lines over training, and scatters, as SVG that follows the page's colours.
//!
//! What they draw is worked out in [`crate::plot`]; here it is put on the page, read by pointer and
//! keyboard, and saved. The picture itself is one image to a screen reader, so what can be operated
//! (the read-out, the menu) lies beside it and not in it.
//!
//! Redrawing at every message of the worker would make the page wait: feed charts from [`paced`].

mod export;
mod line;
mod measure;
mod pace;
mod pick;
mod save;
mod scatter;

pub use export::{Standalone, font};
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
    /// Set to the element, for saving it.
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
