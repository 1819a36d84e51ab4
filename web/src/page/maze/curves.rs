//! Charts of the training of both agents.

use deepspi_run::config::Config;
use leptos::prelude::*;

use crate::page::charts::{
    AGENT_STEPS, AgentCurves, LineChart, ModelLossCharts, RatioChart, StartValueChart,
};
use crate::page::state::Playground;
use crate::plot::YAxis;

/// All charts.
#[component]
pub fn Curves() -> impl IntoView {
    let playground = Playground::here();
    let curves = AgentCurves::new(playground);
    let x_range = Signal::derive(move || {
        playground.opened.with(|experiment| {
            let longest = experiment.agents.iter().map(Config::whole_steps).max();
            longest.map(|steps| [0.0, steps as f64])
        })
    });
    view! {
        <div class="charts">
            <StartValueChart curves x_range>
                "Look for a curve that stays at “always right”: that agent does not tell the stars apart. \
                 At the optimum it goes up at the upper star only."
            </StartValueChart>
            <LineChart
                title="Distance of the two stars"
                x_label=AGENT_STEPS
                y_label="distance of their latents, relative to their length"
                series=curves.of_maze(|status| status.relative_star_distance)
                y_axis=YAxis::FromZero
                x_range
            >
                "At 0 the encoder has merged the two stars, and no policy on top of it can tell them apart."
            </LineChart>
            <RatioChart curves x_range>
                "With the usual settings that holds in about 1 % of the \
                 iterations; in the others the theorems promise nothing."
            </RatioChart>
            <LineChart
                title="Clip fraction"
                x_label=AGENT_STEPS
                y_label="share of samples outside the clip range"
                series=curves.of_metric("clip_fraction")
                y_axis=YAxis::FromZero
                x_range
            >
                "How often the clip limits a step. About 0.05 to 0.2 is healthy; above 0.3 the \
                 steps are too large."
            </LineChart>
            <ModelLossCharts curves x_range/>
        </div>
    }
}
