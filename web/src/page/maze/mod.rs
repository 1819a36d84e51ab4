//! The maze room: both agents in their maze, their values and policies in each cell, and charts of
//! their training.
//!
//! All parts of the room read the same signals (`signals.rs`).

mod batch;
pub mod board;
mod curves;
mod detail;
pub mod frame;
pub mod signals;
mod walker;

use deepspi_playground::protocol::Watch;
use leptos::prelude::*;

use self::signals::MazeSignals;
use super::state::{Phase, Playground};

/// The room.
#[component]
pub fn MazeRoom() -> impl IntoView {
    let playground = Playground::here();
    let shown = MazeSignals::new(playground);
    // The views are requested again after the worker was replaced.
    let ready = Memo::new(move |_| playground.phase.get() == Phase::Ready);
    Effect::new(move || {
        if ready.get() {
            playground.watch(Watch { details: true, ..Watch::default() });
        }
    });
    on_cleanup(move || playground.watch(Watch::default()));
    view! {
        <h2>"Maze"</h2>
        <p>
            "Two corridors look almost alike. Chance sends the agent into the upper one, or, less often, \
             into the lower one. At the end of each waits a star: going up from the upper star reaches the \
             goal, going up from the lower star falls into a costly trap. So the agent must tell the two \
             stars apart. If it cannot, always going right is best."
        </p>
        <div class="maze-first">
            <div>
                <walker::Boards shown/>
            </div>
            <detail::Detail shown/>
        </div>
        <h3>"Training"</h3>
        <curves::Curves/>
        <h3>"The last batch"</h3>
        <batch::Batches shown/>
        <p class="notice">
            "In the maze of the paper, with the usual settings, both methods nearly always reach \
             the optimum: PPO does not collapse here. The preset “DeepSPI separates” shows the \
             clearest difference between the two that was found: over ten seeds PPO ended at a \
             median of 5.1 and DeepSPI at 7.1, where the optimum is 8.6. “C too large” shows what \
             happens to PPO when updates may be too large. A single seed can differ."
        </p>
    }
}
