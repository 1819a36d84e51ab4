//! What an agent reported so far: the data behind every chart and every exported file.

use deepspi_core::message::{Iteration, MazeStatus, Message};

/// The events of one agent, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// One entry an iteration.
    pub iterations: Vec<Iteration>,
    /// One entry an iteration, after it; the first is the agent before any training.
    pub maze: Vec<MazeStatus>,
}

impl History {
    /// Adds an event; those that charts do not show are left out.
    pub fn push(&mut self, message: Message) {
        match message {
            Message::Iteration(iteration) => self.iterations.push(*iteration),
            Message::Maze(status) => self.maze.push(status),
            Message::Episode(_)
            | Message::Batch(_)
            | Message::CheckpointWritten { .. }
            | Message::Warning { .. }
            | Message::Failure { .. } => {}
        }
    }
}
