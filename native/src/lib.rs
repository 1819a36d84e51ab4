//! Native front end of DeepSPI: command line, files, threads and the clock.
//!
//! Nothing is trained here. The core computes; this crate gives it environments, writes its
//! messages to files, and makes statistics and figures of finished runs. It is a library only so
//! that tests can use it.
//!
//! Imports go in one direction, and `./check circles` fails if one goes back. From the bottom:
//! - modules that know nothing of runs: [`exit`], [`device`], [`whole_file`], [`terminal`],
//!   [`stats`], [`chart`], [`jobs`] (many units of work, a fixed number at a time);
//! - [`worlds`]: the environments to train on;
//! - [`run`]: a run folder, and how it is claimed, written and read again;
//! - the commands: [`train`], [`evaluate`], [`play`], [`curve`], [`speed`], [`parity`],
//!   [`figures`], [`sweep`] (`native bench`), [`report`], which reads the results of sweeps and
//!   evaluations;
//! - [`cli`], which imports all commands and which no command imports.

// `terminal` has macros that do not panic when nobody reads the output any more.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod chart;
pub mod cli;
pub mod curve;
pub mod device;
pub mod evaluate;
pub mod exit;
pub mod export;
pub mod figures;
pub mod jobs;
pub mod metrics_table;
pub mod parity;
pub mod play;
pub mod report;
pub mod run;
pub mod speed;
pub mod stats;
pub mod sweep;
pub mod terminal;
pub mod train;
pub mod whole_file;
pub mod worlds;
