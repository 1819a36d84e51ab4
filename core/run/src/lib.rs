//! The description of a run without the code that computes it: configuration, messages, metrics,
//! file names and manifest.
//!
//! The trainer, the command line and the page share only the types of this crate. It must not
//! depend on burn, files or terminals, so that the page can show, describe and pack a run without
//! linking a network.
//!
//! Letters used in all shapes: `T` time steps, `N` environments, `B` samples of a minibatch, `A`
//! actions, `S` states, `H W C` rows, columns and channels.

pub mod algorithm;
pub mod atari_network;
pub mod batch_view;
pub mod certificate;
pub mod checkpoint;
pub mod config;
pub mod decision;
pub mod dreaming;
pub mod maze;
pub mod maze_preset;
pub mod message;
pub mod metrics;
pub mod monitor;
pub mod network;
pub mod playing;
pub mod run_files;
pub mod schedule;
pub mod world;
