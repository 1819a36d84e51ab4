//! The maze room: both agents in their maze, their values and policies in each cell, and charts of
//! their training.
//!
//! Everything here is redrawn from one [`paced`] signal, so that a fast worker does not make the
//! page slow. Only changes of the selected cell are shown at once.

mod batch;
mod board;
mod curves;
mod detail;
pub mod frame;
mod walker;

use std::sync::Arc;

use deepspi_playground::experiment::AGENTS;
use deepspi_playground::protocol::{AgentView, Watch};
use deepspi_worlds::maze::Maze;
use leptos::prelude::*;

use super::charts::paced;
use super::state::{Phase, Playground};

/// State that the parts of the room share.
#[derive(Clone, Copy)]
struct Shown {
    /// Stored, so that this struct can be copied to every part of the room.
    playground: StoredValue<Playground, LocalStorage>,
    /// Changes when a new history or view of an agent must be drawn.
    drawn: Signal<u64>,
    /// The maze of each agent; they may differ only in the discount.
    mazes: [Memo<Option<Maze>>; AGENTS],
}

impl Shown {
    fn new(playground: Playground) -> Self {
        let drawn = paced(move || {
            for agent in playground.agents {
                agent.run.track();
                agent.view.track();
            }
        });
        let mazes = [0, 1].map(|agent| Memo::new(move |_| playground.maze(agent)));
        Self { playground: StoredValue::new_local(playground), drawn, mazes }
    }

    fn playground(self) -> Playground {
        self.playground.get_value()
    }

    /// The view of an agent that is drawn.
    fn view(self, agent: usize) -> Option<Arc<AgentView>> {
        self.drawn.track();
        self.playground().agents[agent].view.get_untracked()
    }

    /// The selected state; the upper star until the user selects another one.
    fn selected(self) -> usize {
        let selected = self.playground().selected.get();
        self.mazes[0].with(|maze| {
            let maze = maze.as_ref();
            let there = selected.filter(|state| maze.is_some_and(|maze| *state < maze.states()));
            there.or(maze.map(|maze| maze.stars()[0])).unwrap_or_default()
        })
    }

    /// Whether each agent is trained with normalised advantages.
    fn normalised(self) -> [bool; AGENTS] {
        self.playground().opened.with(|opened| opened.agents.each_ref().map(|agent| agent.norm_adv))
    }

    /// Name of an agent, different from the other agent's.
    fn name(self, agent: usize) -> String {
        self.playground().agent_label(agent)
    }
}

/// The room.
#[component]
pub fn MazeRoom() -> impl IntoView {
    let playground = Playground::here();
    let shown = Shown::new(playground);
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
        <walker::Boards shown/>
        <detail::Detail shown/>
        <h3>"Training"</h3>
        <curves::Curves shown/>
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
