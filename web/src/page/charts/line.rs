//! A line chart.

use leptos::prelude::*;

use super::pick::{Pick, Reading};
use super::save::{Provenance, SaveMenu, as_shown, of_run};
use super::{Drawing, width_of};
use crate::plot::{LinePlot, Reference, Series, YAxis, lines_csv};

/// Curves over a common x axis, with reference lines.
#[component]
pub fn LineChart(
    /// Title, in the picture and in the names of saved files.
    title: &'static str,
    /// Name of the x axis, with unit.
    x_label: &'static str,
    /// Name of the y axis, with unit.
    y_label: &'static str,
    /// The curves; see [`super::paced`].
    #[prop(into)]
    series: Signal<Vec<Series>>,
    /// Values to compare with.
    #[prop(optional, into)]
    references: Signal<Vec<Reference>>,
    /// Kind of the y axis; by default it covers the values.
    #[prop(optional)]
    y_axis: YAxis,
    /// Range that the x axis covers at least, for example the length of the training.
    #[prop(optional, into)]
    x_range: Signal<Option<[f64; 2]>>,
    /// Origin of the numbers; by default the runs of the page.
    #[prop(optional, into)]
    source: Option<Signal<Provenance>>,
    /// Explanation below the chart.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let source = source.unwrap_or_else(of_run);
    let (frame, svg) = (NodeRef::new(), NodeRef::new());
    let width = width_of(frame);
    let cursor = RwSignal::new(None::<f64>);
    let picture = Memo::new(move |_| {
        series.with(|series| {
            references.with(|references| {
                LinePlot {
                    title,
                    x_label,
                    y_label,
                    series,
                    references,
                    y_axis,
                    x_range: x_range.get(),
                    width: width.get(),
                    cursor: cursor.get(),
                }
                .draw()
            })
        })
    });
    let point = move |at: Option<[f64; 2]>| {
        let x = at.map(|[x, _]| picture.with_untracked(|picture| picture.x_at(x)));
        let x = x.and_then(|x| series.with_untracked(|series| LinePlot::snap(series, x)));
        if cursor.get_untracked() != x {
            cursor.set(x);
        }
    };
    let step = move |by| {
        let here = cursor.get_untracked();
        cursor.set(series.with_untracked(|series| LinePlot::step(series, here, by)));
    };
    let reading = Signal::derive(move || {
        picture.with(|picture| Reading {
            area: picture.area,
            ends: picture.ends,
            now: cursor.get().unwrap_or(picture.ends[1]),
            text: picture.summary.clone(),
        })
    });
    let csv = move || {
        let source = source.get_untracked().text;
        series.with_untracked(|series| lines_csv(x_label, y_label, series, &source))
    };
    view! {
        <figure class="chart">
            <div class="chart-frame" node_ref=frame>
                <Drawing picture svg/>
                <Pick
                    label=format!("{title}: read values")
                    reading
                    on_point=Callback::new(point)
                    on_step=Callback::new(step)
                />
                <SaveMenu title draw=as_shown(svg) source csv=Callback::new(move |()| csv())/>
            </div>
            {children.map(|children| view! { <figcaption>{children()}</figcaption> })}
        </figure>
    }
}
