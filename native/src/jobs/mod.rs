//! Runs many units of work, a fixed number at a time: the engine behind `native bench` and `native
//! figures`.
//!
//! [`run`] decides when to start a unit, when to try it again and when to stop. An [`Executor`]
//! performs the units: [`on_threads`] in threads of this process, `crate::sweep::processes` in
//! separate processes. What must not be broken: a unit that another process is doing is not
//! started; after a stop was requested nothing new is started, and running units are waited for.

mod engine;
mod threads;

pub use engine::{Executor, Notice, OnFailure, Outcome, Standing, UnitEnd, Units, run};
pub use threads::on_threads;
