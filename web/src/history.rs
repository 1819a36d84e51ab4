//! The reports of an agent so far: the data of all charts and exported files.

use deepspi_playground::protocol::Event;
use deepspi_run::message::{Iteration, MazeStatus};

/// The events of one agent, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// One entry per iteration.
    pub iterations: Vec<Iteration>,
    /// One entry after each iteration; the first entry describes the agent before training.
    pub maze: Vec<MazeStatus>,
}

impl History {
    /// Drops all entries after the first `iterations` iterations, from which training continues.
    pub fn truncate(&mut self, iterations: u64) {
        self.iterations.retain(|entry| entry.iteration < iterations);
        let last = self.iterations.last().map_or(0, |entry| entry.global_step);
        self.maze.retain(|status| status.global_step <= last);
    }

    /// Adds an event.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Iteration(iteration) => self.iterations.push(*iteration),
            // The status of the same step is reported again when the agent is resumed or a room is
            // opened.
            Event::Maze(status) => {
                while self.maze.last().is_some_and(|last| last.global_step >= status.global_step) {
                    self.maze.pop();
                }
                self.maze.push(status);
            }
        }
    }
}
