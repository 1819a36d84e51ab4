//! The reports of an agent so far: the data of all charts and exported files.

use deepspi_run::message::{Iteration, MazeStatus, Message};

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

    /// Adds an event. Events that no chart shows are ignored.
    pub fn push(&mut self, message: Message) {
        match message {
            Message::Iteration(iteration) => self.iterations.push(*iteration),
            // The status of the same step is reported again when the agent is resumed or a room is
            // opened.
            Message::Maze(status) => {
                while self.maze.last().is_some_and(|last| last.global_step >= status.global_step) {
                    self.maze.pop();
                }
                self.maze.push(status);
            }
            Message::Episode(_)
            | Message::Batch(_)
            | Message::CheckpointWritten { .. }
            | Message::Warning { .. }
            | Message::Failure { .. } => {}
        }
    }
}
