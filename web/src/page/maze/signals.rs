//! The signals that the parts of the room share.
//!
//! Everything is redrawn from one [`paced`] signal, so that a fast worker does not make the page
//! slow. Only changes of the selected state are shown at once.

use std::sync::Arc;

use deepspi_playground::experiment::AGENTS;
use deepspi_playground::protocol::AgentView;
use deepspi_worlds::maze::Maze;
use leptos::prelude::*;

use crate::page::charts::paced;
use crate::page::state::Playground;

/// The signals of both agents; each part of the room gets a copy.
#[derive(Clone, Copy, Debug)]
pub struct MazeSignals {
    /// Stored, to keep the copies small.
    playground: StoredValue<Playground, LocalStorage>,
    /// Changes when a new history or view of an agent must be drawn.
    pub drawn: Signal<u64>,
    /// The maze of each agent; they may differ only in the discount.
    pub mazes: [Memo<Option<Maze>>; AGENTS],
}

impl MazeSignals {
    /// Follows both agents of the page.
    pub fn new(playground: Playground) -> Self {
        let drawn = paced(move || {
            for agent in playground.agents {
                agent.run.track();
                agent.view.track();
            }
        });
        let mazes = [0, 1].map(|agent| Memo::new(move |_| playground.maze(agent)));
        Self { playground: StoredValue::new_local(playground), drawn, mazes }
    }

    /// The state of the page.
    pub fn playground(self) -> Playground {
        self.playground.get_value()
    }

    /// The view of an agent that is drawn.
    pub fn view(self, agent: usize) -> Option<Arc<AgentView>> {
        self.drawn.track();
        self.playground().agents[agent].view.get_untracked()
    }

    /// The selected state; the upper star until the user selects another one.
    pub fn selected(self) -> usize {
        let selected = self.playground().selected.get();
        self.mazes[0].with(|maze| {
            let maze = maze.as_ref();
            let there = selected.filter(|state| maze.is_some_and(|maze| *state < maze.states()));
            there.or(maze.map(|maze| maze.stars()[0])).unwrap_or_default()
        })
    }

    /// Whether each agent is trained with normalised advantages.
    pub fn normalised(self) -> [bool; AGENTS] {
        self.playground().opened.with(|opened| opened.agents.each_ref().map(|agent| agent.norm_adv))
    }

    /// Label of an agent, different from the other agent's.
    pub fn name(self, agent: usize) -> String {
        self.playground().agent_label(agent)
    }
}
