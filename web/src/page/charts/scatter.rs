//! A scatter plot with dots coloured by a value.

use leptos::prelude::*;

use super::pick::{Pick, Reading};
use super::save::{Provenance, SaveMenu, as_shown, of_run};
use super::{Drawing, width_of};
use crate::plot::{DotPlot, Dots, dots_csv};

/// Points on two axes with the line y = x, coloured by a value on the viridis scale.
#[component]
pub fn Scatter(
    /// Title, in the picture and in the names of saved files.
    #[prop(into)]
    title: Signal<String>,
    /// Name of the x axis.
    #[prop(into)]
    x_label: Signal<&'static str>,
    /// Name of the y axis.
    y_label: &'static str,
    /// Name of the value that the colour shows.
    value_label: &'static str,
    /// Name of the line y = x.
    diagonal: &'static str,
    /// The points; see [`super::paced`].
    #[prop(into)]
    dots: Signal<Dots>,
    /// Range that the colour scale covers at least, so that charts can be compared.
    #[prop(optional, into)]
    value_range: Signal<Option<[f64; 2]>>,
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
    let cursor = RwSignal::new(None::<usize>);
    let picture = Memo::new(move |_| {
        dots.with(|dots| {
            let title = &title.read();
            DotPlot {
                title,
                x_label: x_label.get(),
                y_label,
                value_label,
                diagonal,
                dots,
                value_range: value_range.get(),
                width: width.get(),
                cursor: cursor.get(),
            }
            .draw()
        })
    });
    let point = move |at: Option<[f64; 2]>| {
        let nearest = at.and_then(|at| {
            let corner = picture.with_untracked(|picture| [picture.area.left, picture.area.top]);
            let at = [at[0] + corner[0], at[1] + corner[1]];
            picture.with_untracked(|picture| {
                dots.with_untracked(|dots| DotPlot::nearest(dots, picture, at))
            })
        });
        if cursor.get_untracked() != nearest {
            cursor.set(nearest);
        }
    };
    let step = move |by| {
        let here = cursor.get_untracked();
        cursor.set(dots.with_untracked(|dots| DotPlot::step(dots, here, by)));
    };
    let reading = Signal::derive(move || {
        picture.with(|picture| Reading {
            area: picture.area,
            ends: [0.0, dots.with(|dots| dots.points.len().saturating_sub(1) as f64)],
            now: cursor.get().unwrap_or(0) as f64,
            text: picture.summary.clone(),
        })
    });
    let csv = move || {
        let source = source.get_untracked().text;
        let labels = [x_label.get_untracked(), y_label, value_label];
        dots.with_untracked(|dots| dots_csv(dots, labels, &source))
    };
    view! {
        <figure class="chart">
            <div class="chart-frame" node_ref=frame>
                <Drawing picture svg/>
                <Pick
                    label=Signal::derive(move || format!("{}: read points", title.get()))
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
