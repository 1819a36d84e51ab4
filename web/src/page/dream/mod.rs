//! The dream room: what an agent's world model imagines, beside what really happens.
//!
//! The worker imagines ([`deepspi_playground::protocol::Request::Dream`]); the plan is the room's alone.

mod pad;
mod signals;
mod steps;
mod table;

use deepspi_playground::experiment::AGENTS;
use leptos::prelude::*;

use self::signals::DreamSignals;
pub use self::signals::curve;
pub use self::table::{Row, table};
use super::charts::LineChart;
use super::maze::board::{Board, common_scale};
use super::maze::signals::MazeSignals;
use super::state::Playground;
use crate::plot::YAxis;

/// The room.
#[component]
pub fn DreamRoom() -> impl IntoView {
    let playground = Playground::here();
    let shown = MazeSignals::new(playground);
    let dream = DreamSignals::new(playground, shown);
    let scale = common_scale(shown);
    let column = move |agent: usize| {
        view! {
            <div class="dream-agent">
                <Board shown agent scale place=dream.places[agent] by_press=true/>
                <steps::Steps dream agent/>
            </div>
        }
    };
    view! {
        <h2>"Looking into the dream"</h2>
        <div class="columns">
            <p>
                "A world model predicts the next latent and the reward from a latent and an action. Fed with \
                 its own predictions, it imagines: DreamSPI improves its policy on such steps. Here \
                 they stand beside what really happens with the same actions, from the cell that you press below."
            </p>
            <p>
                "An imagined latent is no picture. It is shown as the cell whose latent is nearest, with the \
                 distance to it. Take over the dream: press an action, and see where the maze and the model \
                 go. Then train, and look again."
            </p>
        </div>
        <pad::Pad dream/>
        <div class="maze-boards">{(0..AGENTS).map(column).collect_view()}</div>
        <div class="charts">
            <LineChart
                title="Error of the imagined return"
                x_label="imagined steps"
                y_label="|imagined − real return|, and its bound"
                series=dream.errors()
                y_axis=YAxis::Log
            >
                "Rewards up to the step plus V of where it leads. The dotted lines are the sum of Theorem 2, \
                 γ^t (l_R + γ l_P / (1 − γ)) over the steps. It bounds the error only if the premises of a \
                 certified run hold (preset “Certified”)."
            </LineChart>
            <LineChart
                title="Distance of the imagined latent"
                x_label="imagined steps"
                y_label="relative distance to the true latent"
                series=dream.distances()
                y_axis=YAxis::FromZero
            >
                "At 1 the imagined latent is as far from the true one as the latents of two cells are from \
                 each other on average."
            </LineChart>
        </div>
    }
}
