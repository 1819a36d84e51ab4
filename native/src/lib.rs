//! Native front end of DeepSPI: arguments, Atari, files, threads and the clock.
//!
//! Nothing is trained here; the core computes, this crate feeds it environments, writes down what it
//! says, and makes statistics and figures of finished runs. A library only so that tests can reach it.
//!
//! Data flows one way, and `./check circles` fails where an import turns back. From the bottom:
//! - leaves that know no run: [`exit`], [`device`], [`whole_file`], [`terminal`], [`stats`], [`chart`],
//!   [`jobs`] (so many units of work at a time);
//! - [`worlds`]: what is trained on;
//! - [`run`]: a run folder, how it is claimed, written and read again;
//! - the commands: [`train`], [`evaluate`], [`play`], [`curve`], [`speed`], [`parity`], [`figures`],
//!   [`sweep`] (`native bench`), [`report`], which reads what sweeps and evaluations left;
//! - [`cli`], which knows all commands and which none of them knows.

pub mod chart;
pub mod cli;
pub mod curve;
pub mod device;
pub mod evaluate;
pub mod exit;
pub mod figures;
pub mod jobs;
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
