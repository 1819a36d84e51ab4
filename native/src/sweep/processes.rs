//! Trains runs in processes on this machine, a fixed number at a time.
//!
//! [`crate::jobs`] decides when each run starts; this module starts, watches and stops the
//! processes. The result of a process is judged by its run folder, not by its output.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Error, Result};

use super::child::{Attempt, Starter};
use super::progress::SweepProgress;
use super::record::RecordedStatus;
use super::run_status::{RunState, RunStatus};
use super::specification::RunId;
use crate::exit::Exit;
use crate::jobs::{self, Executor, Notice, OnFailure, Standing, UnitEnd, Units};
use crate::run::signals::StopFlag;

/// Failures after which a run is given up; the same command tries it again.
const ATTEMPTS: u32 = 3;

/// A run that was given up.
#[derive(Debug)]
pub struct Failure {
    /// The run.
    pub id: RunId,
    /// Last lines of output of its last process.
    pub why: String,
}

/// Result of all runs.
#[derive(Debug)]
pub struct Outcome {
    /// Runs that failed [`ATTEMPTS`] times.
    pub failures: Vec<Failure>,
    /// Number of runs that are unfinished without a failure, because a stop was requested.
    pub left: usize,
}

/// Trains `runs` in their order, `jobs` at a time.
///
/// # Errors
/// If the system cannot tell the state of a process. Errors of single runs are part of the outcome.
pub fn train_all(
    starter: Starter,
    runs: Vec<RunStatus>,
    jobs: usize,
    stop: &StopFlag,
    progress: &mut SweepProgress,
) -> Result<Outcome> {
    let places = |wanted: &dyn Fn(&RunStatus) -> bool| -> Vec<usize> {
        (0..runs.len()).filter(|i| wanted(&runs[*i])).collect()
    };
    let units = Units {
        open: places(&|run| !run.is_complete() && run.state != RunState::Running),
        elsewhere: places(&|run| run.state == RunState::Running),
        jobs,
        on_failure: OnFailure::TryAgain { attempts: ATTEMPTS },
    };
    let mut processes = Processes { starter, runs, active: Vec::new(), progress, stop };
    let outcome = jobs::run(units, &mut processes, stop)?;
    let failure = |(place, error): (usize, Error)| Failure {
        id: processes.runs[place].id,
        why: format!("{error:#}"),
    };
    Ok(Outcome {
        failures: outcome.failures.into_iter().map(failure).collect(),
        left: outcome.left,
    })
}

/// The running processes. A unit of work is an index into `runs`.
struct Processes<'a> {
    starter: Starter,
    runs: Vec<RunStatus>,
    active: Vec<(usize, Attempt)>,
    progress: &'a mut SweepProgress,
    stop: &'a StopFlag,
}

impl Processes<'_> {
    fn refresh(&mut self, place: usize) -> &RunStatus {
        let RunStatus { id, total, .. } = self.runs[place];
        self.runs[place] = RunStatus::read(&self.starter.folder, id, total);
        &self.runs[place]
    }

    fn ended(&mut self, place: usize, attempt: Attempt, exit: ExitStatus) -> UnitEnd {
        let complete = self.refresh(place).is_complete();
        let status = if complete {
            RecordedStatus::Done
        } else if self.stop.is_set() {
            RecordedStatus::Stopped
        } else if exit.code() == Some(Exit::Busy.code().into()) {
            // The process that trains the run also writes its record.
            return UnitEnd::Elsewhere;
        } else {
            RecordedStatus::Failed
        };
        let record = match attempt.note(status, exit) {
            Ok(record) => record,
            Err(error) => return UnitEnd::Failed(error),
        };
        let id = self.refresh(place).id;
        match status {
            RecordedStatus::Done => {
                self.progress.line(&format!("{id}: finished after {:.0} s", record.seconds));
                UnitEnd::Finished
            }
            RecordedStatus::Failed => {
                UnitEnd::Failed(Error::msg(record.last_error.unwrap_or_default()))
            }
            RecordedStatus::Stopped | RecordedStatus::Running => UnitEnd::Stopped,
        }
    }
}

impl Executor for Processes<'_> {
    fn start(&mut self, place: usize) -> Result<()> {
        let attempt = self.starter.start(self.runs[place].id)?;
        self.active.push((place, attempt));
        Ok(())
    }

    fn wait(&mut self, at_most: Duration) -> Result<Vec<(usize, UnitEnd)>> {
        std::thread::sleep(at_most);
        let mut all = Vec::new();
        let mut i = 0;
        while i < self.active.len() {
            match self.active[i].1.ended()? {
                None => i += 1,
                Some(exit) => {
                    let (place, attempt) = self.active.swap_remove(i);
                    all.push((place, self.ended(place, attempt, exit)));
                }
            }
        }
        Ok(all)
    }

    fn stop(&mut self, urgent: bool) {
        for (_, attempt) in &mut self.active {
            attempt.ask_to_stop();
            if urgent {
                attempt.kill();
            }
        }
    }

    fn look_elsewhere(&mut self, place: usize) -> Standing {
        let run = self.refresh(place);
        if run.state == RunState::Running {
            Standing::Busy
        } else if run.is_complete() {
            Standing::Done
        } else {
            Standing::Open
        }
    }

    fn notice(&mut self, place: usize, notice: Notice<'_>) {
        let id = self.runs[place].id;
        let last =
            |error: &Error| format!("{error:#}").lines().last().unwrap_or_default().to_owned();
        self.progress.line(&match notice {
            Notice::Elsewhere => format!("{id}: another process trains it"),
            Notice::TriedAgain(error) => {
                format!("{id}: failed and will be tried again: {}", last(error))
            }
            Notice::GivenUp { failures, error } => {
                self.runs[place].state = RunState::Failed;
                format!("{id}: failed {failures} times and is not tried again: {}", last(error))
            }
        });
    }

    fn show(&mut self, active: usize, last: bool) {
        for i in 0..self.active.len() {
            self.refresh(self.active[i].0);
        }
        self.progress.show(&self.runs, active, last);
    }
}
