//! Native front end of DeepSPI: arguments, Atari, files, threads and the clock.
//!
//! Nothing numeric happens here; the core computes, this crate feeds it environments and writes down
//! what it says. A library only so that tests can reach it.

pub mod atari;
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
pub mod task;
pub mod train;
pub mod whole_file;
