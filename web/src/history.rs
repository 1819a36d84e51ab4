//! What an agent reported so far: the data behind every chart and every exported file.

use deepspi_run::message::{Iteration, MazeStatus, Message};

/// The events of one agent, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// One entry an iteration.
    pub iterations: Vec<Iteration>,
    /// One entry an iteration, after it; the first is the agent before any training.
    pub maze: Vec<MazeStatus>,
}

impl History {
    /// Forgets what came after `iterations` iterations: training goes on from there.
    pub fn truncate(&mut self, iterations: u64) {
        self.iterations.retain(|entry| entry.iteration < iterations);
        let last = self.iterations.last().map_or(0, |entry| entry.global_step);
        self.maze.retain(|status| status.global_step <= last);
    }

    /// Adds an event; those that charts do not show are left out.
    pub fn push(&mut self, message: Message) {
        match message {
            Message::Iteration(iteration) => self.iterations.push(*iteration),
            // An agent is looked at again when it is resumed or a room is opened.
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
