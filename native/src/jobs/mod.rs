//! Many units of work, so many at a time: the one engine behind `native bench` and `native figures`.
//!
//! [`run`] decides what is started when, what is tried again and when to stop. An [`Executor`] does the
//! units: [`on_threads`] in threads of this process, `crate::sweep::processes` in processes of their
//! own. What must not be broken: a unit that another process does is not started, and after a stop was
//! asked for nothing new is started and what is under way is waited for.

mod engine;
mod threads;

pub use engine::{Executor, Notice, OnFailure, Outcome, Standing, UnitEnd, Units, run};
pub use threads::on_threads;
