//! Reads values of a chart with pointer, finger or arrow keys.
//!
//! To assistive technology this is a slider over the data whose value is a sentence.

use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

use crate::plot::Area;

/// Number of points by which Page Up and Page Down move.
const PAGE: isize = 10;

/// The state of the slider.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Position of the slider.
    pub area: Area,
    /// Smallest and largest value.
    pub ends: [f64; 2],
    /// Value.
    pub now: f64,
    /// The value in words.
    pub text: String,
}

/// An invisible surface over the data of a chart that takes pointer and keys.
#[component]
pub fn Pick(
    /// Name of the chart.
    #[prop(into)]
    label: Signal<String>,
    /// The current reading.
    reading: Signal<Reading>,
    /// Called with the place under the pointer, in pixels from the surface's corner, and with none
    /// when the pointer leaves.
    on_point: Callback<Option<[f64; 2]>>,
    /// Called to move by this number of points.
    on_step: Callback<isize>,
) -> impl IntoView {
    let point = move |event: PointerEvent| {
        on_point.run(Some([event.offset_x().into(), event.offset_y().into()]));
    };
    let leave = move |event: PointerEvent| {
        // After a touch the reading stays, so that the user can see it.
        if event.pointer_type() != "touch" {
            on_point.run(None);
        }
    };
    let key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowRight" | "ArrowUp" => 1,
            "ArrowLeft" | "ArrowDown" => -1,
            "PageUp" => PAGE,
            "PageDown" => -PAGE,
            "Home" => isize::MIN,
            "End" => isize::MAX,
            "Escape" => {
                on_point.run(None);
                return;
            }
            _ => return,
        };
        event.prevent_default();
        on_step.run(by);
    };
    let pixels = move |side: fn(&Area) -> f64| {
        move || reading.with(|reading| format!("{:.1}px", side(&reading.area)))
    };
    view! {
        <div
            class="chart-pick"
            role="slider"
            tabindex="0"
            aria-label=move || label.get()
            aria-valuemin=move || reading.with(|reading| reading.ends[0])
            aria-valuemax=move || reading.with(|reading| reading.ends[1])
            aria-valuenow=move || reading.with(|reading| reading.now)
            aria-valuetext=move || reading.with(|reading| reading.text.clone())
            style:left=pixels(|area| area.left)
            style:top=pixels(|area| area.top)
            style:width=pixels(Area::width)
            style:height=pixels(Area::height)
            on:pointermove=point
            on:pointerdown=point
            on:pointerleave=leave
            on:blur=move |_| on_point.run(None)
            on:keydown=key
        ></div>
    }
}
