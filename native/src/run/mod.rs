//! The folder of one run: how it is made, claimed, written and read again.
//!
//! What must not be broken: one process writes a run folder at a time ([`lock`]), a checkpoint is whole
//! or absent ([`checkpoints`]), and the same command can always be given again ([`claim`]). Nothing here
//! knows a command of the program.

pub mod checkpoints;
pub mod claim;
pub mod folder;
pub mod lock;
pub mod output;
pub mod session;
pub mod settings;
pub mod signals;
