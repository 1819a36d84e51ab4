//! The errors of Atari environments.

use super::console::ConsoleError;
use crate::snapshot::SnapshotError;

/// Why an environment could not be created, stepped or restored.
#[derive(Debug, thiserror::Error)]
pub enum AtariError {
    /// The emulator failed.
    #[error(transparent)]
    Console(#[from] ConsoleError),
    /// An option is out of its range.
    #[error("invalid environment option: {0}")]
    Options(&'static str),
    /// The action is not an index into the minimal action set.
    #[error("action {action} is out of range: {game} has the actions 0..={}", n_actions - 1)]
    Action {
        /// Name of the game.
        game: &'static str,
        /// The offending index.
        action: u32,
        /// Size of the action set.
        n_actions: usize,
    },
    /// The console returned a reward that is no code of its cartridge.
    #[error("the cartridge returned the reward code {0}; its codes are 0 to 3")]
    RewardCode(i32),
    /// A slice has the wrong length.
    #[error("{what}: expected {expected} elements, got {found}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// Required length.
        expected: usize,
        /// Given length.
        found: usize,
    },
    /// One of several environments failed.
    #[error("environment {index}: {source}")]
    InEnv {
        /// Which one.
        index: usize,
        /// Its error.
        source: Box<Self>,
    },
    /// An environment panicked; it cannot be used again.
    #[error("the environment panicked: {0}")]
    Panicked(String),
    /// A stored game could not be replayed.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Steps must be sent and received alternately.
    #[error("the environments are not ready: each step must be sent once and received once")]
    NotReady,
}

impl AtariError {
    /// This error in one of several environments.
    #[must_use]
    pub fn in_env(self, index: usize) -> Self {
        Self::InEnv { index, source: Box::new(self) }
    }
}
