//! What a run *is*, without what computes it: configuration, messages, metrics, names and manifest of files.
//!
//! The trainer, the command line and the page agree on a run through the types of this crate, and on
//! nothing else. It depends on neither burn nor disks nor terminals, so that the page can show, describe
//! and pack a run without a network in it.
//!
//! Letters used in all shapes: `T` time steps, `N` environments, `B` samples of a minibatch, `A` actions,
//! `S` states, `H W C` rows, columns and channels.

pub mod batch_view;
pub mod certificate;
pub mod checkpoint;
pub mod config;
pub mod decision;
pub mod maze;
pub mod maze_preset;
pub mod message;
pub mod metrics;
pub mod monitor;
pub mod network;
pub mod run_files;
pub mod schedule;
