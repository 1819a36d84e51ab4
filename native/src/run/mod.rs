//! The folder of one run: how it is created, claimed, written and read again.
//!
//! What must not be broken: one process writes a run folder at a time ([`lock`]), a checkpoint is
//! complete or absent ([`checkpoints`]), and the same command can always be repeated ([`claim`]).
//! Nothing here imports a command of the program.

pub mod checkpoints;
pub mod claim;
pub mod config_file;
pub mod folder;
pub mod lock;
pub mod output;
pub mod session;
pub mod settings;
pub mod signals;
mod stop_signals;
