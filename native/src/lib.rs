//! Native front end of DeepSPI: arguments, Atari, files, threads and the clock.
//!
//! Nothing is trained here; the core computes, this crate feeds it environments, writes down what it
//! says, and makes statistics and figures of finished runs. A library only so that tests can reach it.

pub mod benchmark;
pub mod chart;
pub mod checkpoints;
pub mod claim;
pub mod cli;
pub mod comparison;
pub mod curve;
pub mod device;
pub mod evaluation;
pub mod figures;
pub mod folder_lock;
pub mod output;
pub mod parity;
pub mod report;
pub mod run_folder;

pub mod session;
pub mod settings;
pub mod signals;
pub mod speed;
pub mod statistics;
pub mod train;
pub mod whole_file;
pub mod worlds;
