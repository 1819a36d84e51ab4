//! Controls for a number: a slider with a box, and a box alone.

use deepspi_plot::fixed;
use leptos::prelude::*;

/// A slider and a box for a number. From `limit` on the slider is marked as outside the range that
/// the theorems cover.
#[component]
pub fn Dial<F: Fn(f64) + Copy + Send + Sync + 'static>(
    /// Prefix of the ids of its elements.
    id: &'static str,
    /// Name of the number.
    label: &'static str,
    /// The number.
    #[prop(into)]
    value: Signal<f64>,
    /// Called with a new number, which is in `range`.
    set: F,
    /// Smallest and largest value.
    range: [f64; 2],
    /// Distance between values.
    step: f64,
    /// Digits after the point.
    digits: usize,
    /// Start and name of the marked range.
    #[prop(optional)]
    limit: Option<(Signal<f64>, &'static str)>,
) -> impl IntoView {
    let [low, high] = range;
    let on_slide = move |event| {
        if let Some(x) = number(&event_target_value(&event), range) {
            set(x);
        }
    };
    let mark = limit.map(|(at, name)| {
        let share = move || ((at.get() - low) / (high - low)).clamp(0.0, 1.0);
        let is_late = move || share() > 0.6;
        let text = move || {
            let beyond = if at.get() > high { " →" } else { "" };
            format!("{name} = {}{beyond}", fixed(at.get(), 3))
        };
        view! {
            <div class="nb-limit" aria-hidden="true" style=("--share", move || share().to_string())>
                <span class="nb-beyond"></span>
                <span class="nb-limit-name" class:nb-late=is_late>
                    {text}
                </span>
            </div>
        }
    });
    view! {
        <div class="nb-dial" class:nb-limited=limit.is_some()>
            <label for=id>{label}</label>
            <div class="nb-slide">
                <input
                    type="range"
                    id=id
                    min=low
                    max=high
                    step=step
                    prop:value=move || value.get().to_string()
                    on:input=on_slide
                />
                {mark}
            </div>
            <NumberBox id=format!("{id}-box") label=label value=value set=set range=range step=step digits=digits/>
        </div>
    }
}

/// A box for a number. Input takes effect when the box loses the focus or Enter is pressed; input
/// that is not a number is replaced by the previous number.
#[component]
pub fn NumberBox<F: Fn(f64) + Copy + Send + Sync + 'static>(
    /// Id of the box.
    #[prop(into)]
    id: String,
    /// Name for screen readers.
    #[prop(into)]
    label: String,
    /// The number.
    #[prop(into)]
    value: Signal<f64>,
    /// Called with a new number, which is in `range`.
    set: F,
    /// Smallest and largest value.
    range: [f64; 2],
    /// Step of the box's arrows.
    step: f64,
    /// Digits after the point.
    digits: usize,
) -> impl IntoView {
    let text = move || format!("{:.digits$}", value.get());
    let on_change = move |event: web_sys::Event| {
        if let Some(x) = number(&event_target_value(&event), range) {
            set(x);
        }
        let target: web_sys::HtmlInputElement = event_target(&event);
        target.set_value(&format!("{:.digits$}", value.get_untracked()));
    };
    view! {
        <input
            type="number"
            inputmode="decimal"
            class="nb-box"
            id=id
            aria-label=label
            min=range[0]
            max=range[1]
            step=step
            prop:value=text
            on:change=on_change
        />
    }
}

/// Reads the number in a text and clamps it to the range.
fn number(text: &str, [low, high]: [f64; 2]) -> Option<f64> {
    let x: f64 = text.trim().parse().ok()?;
    x.is_finite().then(|| x.clamp(low, high))
}
