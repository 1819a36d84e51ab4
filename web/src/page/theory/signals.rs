//! The signals that the parts of the room share.

use std::sync::Arc;

use deepspi_run::config::Config;
use deepspi_run::maze::Assessment;
use deepspi_worlds::maze::Maze;
use leptos::prelude::*;

use crate::page::state::Playground;

/// The signals of the agent that the user chose; each part of the room gets a copy.
#[derive(Clone, Copy, Debug)]
pub struct TheorySignals {
    /// The state of the page.
    pub playground: Playground,
    /// The agent that is shown.
    pub agent: RwSignal<usize>,
    /// The agent's maze.
    pub maze: Memo<Option<Maze>>,
    /// The terms of the theorems for the agent's last update.
    pub found: Memo<Option<Arc<Assessment>>>,
}

impl TheorySignals {
    /// Follows the agents of the page. The first agent with a world model is shown first.
    pub fn new(playground: Playground) -> Self {
        // The first agent with a world model, because the theorems are about world models.
        let with_model = playground.opened.with_untracked(|experiment| {
            experiment.agents.iter().position(Config::uses_world_model)
        });
        let agent = RwSignal::new(with_model.unwrap_or(0));
        let maze = Memo::new(move |_| playground.maze(agent.get()));
        let found = Memo::new(move |_| playground.agents[agent.get()].assessment.get());
        Self { playground, agent, maze, found }
    }

    /// A text made from the numbers; a dash while there are none.
    pub fn text(self, of: impl Fn(&Assessment) -> String) -> String {
        self.found.with(|found| found.as_deref().map_or_else(|| "–".to_owned(), of))
    }
}
