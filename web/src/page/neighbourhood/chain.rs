//! A drawing of the out-of-trajectory example for each planner; the thickness of an arrow shows the
//! probability of its action.

use deepspi_plot::fixed;
use deepspi_theory::OutOfTrajectory;
use deepspi_theory::out_of_trajectory::{Comparison, Record};
use leptos::prelude::*;

use super::notation::neighbourhood_symbol;
use super::planners::both;

/// Width in pixels of an arrow with probability 1, and with probability 0.
const THICK: f64 = 9.0;
const THIN: f64 = 1.0;

/// The drawings of both planners.
#[component]
pub fn Chain(
    /// The steps of both planners.
    result: Memo<Result<Comparison, String>>,
    /// The step to show.
    step: Memo<usize>,
    /// The rewards of the region and of the safe action.
    example: Memo<OutOfTrajectory>,
) -> impl IntoView {
    let record = move |planner: usize| {
        Signal::derive(move || {
            result.with(|result| both(result.as_ref().ok()?)[planner].get(step.get()).copied())
        })
    };
    view! {
        <div class="nb-chains">
            <figure>
                <figcaption>"greedy planner"</figcaption>
                <Drawing record=record(0) example=example/>
            </figure>
            <figure>
                <figcaption>"planner in " {neighbourhood_symbol()}</figcaption>
                <Drawing record=record(1) example=example/>
            </figure>
        </div>
    }
}

/// Start, region and arrows for one planner.
#[component]
fn Drawing(record: Signal<Option<Record>>, example: Memo<OutOfTrajectory>) -> impl IntoView {
    let bait = move || record.get().map_or(0.0, |record| record.bait_probability);
    let thick = |p: f64| format!("{:.2}", THIN + (THICK - THIN) * p);
    let believed = move || record.get().map_or(f64::NAN, |record| record.believed_reward);
    let truth = move || example.get().true_reward;
    let label = move || {
        format!(
            "a₂, taken with probability {}, leads to a region that the model believes to pay {} and that pays {}.",
            fixed(bait(), 3),
            fixed(believed(), 1),
            fixed(truth(), 1)
        )
    };
    view! {
        <svg class="nb-chain" viewBox="0 0 260 128" role="img" aria-label=label>
            <path class="nb-edge" d="M52 72C90 112 120 112 168 112" stroke-width=move || thick(1.0 - bait())/>
            <path
                class="nb-edge nb-edge-bait"
                d="M52 60C80 34 100 34 132 34"
                stroke-width=move || thick(bait())
            />
            <circle class="nb-node" cx="34" cy="66" r="20"/>
            <text class="nb-node-name" x="34" y="70.5" text-anchor="middle">"start"</text>
            <rect class="nb-node" x="134" y="6" width="122" height="56" rx="8"/>
            <text x="195" y="28" text-anchor="middle">
                {move || format!("believed {}", fixed(believed(), 1))}
            </text>
            <text class="nb-truth" x="195" y="49" text-anchor="middle">
                {move || format!("true {}", fixed(truth(), 1))}
            </text>
            <text x="58" y="22">{move || format!("a₂ {}", fixed(bait(), 3))}</text>
            <text x="176" y="108">
                {move || format!("a₁: {}", fixed(example.get().safe_reward, 0))}
            </text>
            <text x="176" y="124">"a₃: 0"</text>
        </svg>
    }
}
