//! Runs as processes of this machine, so many at a time.
//!
//! One thread that looks at its children again and again: whatever happens to a child, nothing here
//! waits for it alone. What a child came to is judged by its folder and not by what it says.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;

use super::child::{Attempt, Starter};
use super::progress::SweepProgress;
use super::run_status::{RecordedStatus, RunState, RunStatus};
use super::sweep::RunId;
use crate::cli::EXIT_BUSY;
use crate::signals::StopFlag;

/// A run that failed so often is given up.
pub const ATTEMPTS: u32 = 3;
/// Time between two looks at the children,
const LOOK: Duration = Duration::from_millis(100);
/// and so many looks between two at all the logs.
const READ_LOGS_EVERY: u32 = 20;

/// A run that was given up.
#[derive(Debug)]
pub struct Failure {
    /// Which run.
    pub id: RunId,
    /// What its last process said last.
    pub why: String,
}

/// What became of the runs.
#[derive(Debug)]
pub struct Outcome {
    /// Runs that failed [`ATTEMPTS`] times.
    pub failures: Vec<Failure>,
    /// Runs that are not finished for no fault of theirs: a stop was asked for.
    pub left: usize,
}

/// Everything that is under way.
#[derive(Debug)]
pub struct Runner {
    starter: Starter,
    jobs: usize,
    stop: StopFlag,
    runs: Vec<RunStatus>,
    /// Failures of each run under this command; the same command given again tries again.
    failed: Vec<u32>,
    /// Runs to be started, by their place; the last is the next.
    queue: Vec<usize>,
    /// Runs that another process trains.
    elsewhere: Vec<usize>,
    active: Vec<(usize, Attempt)>,
    failures: Vec<Failure>,
}

impl Runner {
    /// Will do `runs` in their order, `jobs` at a time.
    #[must_use]
    pub fn new(starter: Starter, runs: Vec<RunStatus>, jobs: usize, stop: StopFlag) -> Self {
        let places = |wanted: &dyn Fn(&RunStatus) -> bool| -> Vec<usize> {
            (0..runs.len()).rev().filter(|i| wanted(&runs[*i])).collect()
        };
        let elsewhere = places(&|run| run.state == RunState::Running);
        let queue = places(&|run| !run.is_complete() && run.state != RunState::Running);
        Self {
            failed: vec![0; runs.len()],
            queue,
            elsewhere,
            active: Vec::new(),
            failures: Vec::new(),
            starter,
            jobs: jobs.max(1),
            stop,
            runs,
        }
    }

    /// Does them.
    ///
    /// # Errors
    /// If the system cannot tell how a process stands; what fails in a run is part of the outcome.
    pub fn run(mut self, progress: &mut SweepProgress) -> Result<Outcome> {
        let mut looks: u32 = 0;
        for place in &self.elsewhere {
            progress.line(&format!("{}: another process trains it", self.runs[*place].id));
        }
        loop {
            self.collect(progress)?;
            if self.stop.is_set() {
                self.stop_children();
                if self.active.is_empty() {
                    break;
                }
            } else {
                self.start_next(progress);
                if self.active.is_empty() && self.queue.is_empty() && self.elsewhere.is_empty() {
                    break;
                }
            }
            if looks.is_multiple_of(READ_LOGS_EVERY) {
                self.read_logs();
                progress.show(&self.runs, self.active.len(), false);
            }
            looks = looks.wrapping_add(1);
            std::thread::sleep(LOOK);
        }
        progress.show(&self.runs, 0, true);
        let left = self.queue.len() + self.elsewhere.len();
        Ok(Outcome { failures: self.failures, left })
    }

    fn refresh(&mut self, place: usize) -> &RunStatus {
        let RunStatus { id, total, .. } = self.runs[place];
        self.runs[place] = RunStatus::read(&self.starter.folder, id, total);
        &self.runs[place]
    }

    fn read_logs(&mut self) {
        for i in 0..self.active.len() {
            self.refresh(self.active[i].0);
        }
        for place in std::mem::take(&mut self.elsewhere) {
            let run = self.refresh(place);
            if run.state == RunState::Running {
                self.elsewhere.push(place);
            } else if !run.is_complete() {
                self.queue.push(place);
            }
        }
    }

    fn start_next(&mut self, progress: &SweepProgress) {
        while self.active.len() < self.jobs {
            let Some(place) = self.queue.pop() else { return };
            match self.starter.start(self.runs[place].id) {
                Ok(attempt) => self.active.push((place, attempt)),
                Err(error) => self.failed(place, &format!("{error:#}"), progress),
            }
        }
    }

    fn stop_children(&mut self) {
        for (_, attempt) in &mut self.active {
            attempt.ask_to_stop();
            if self.stop.is_urgent() {
                attempt.kill();
            }
        }
    }

    /// Looks which children have ended.
    fn collect(&mut self, progress: &SweepProgress) -> Result<()> {
        let mut i = 0;
        while i < self.active.len() {
            match self.active[i].1.ended()? {
                None => i += 1,
                Some(exit) => {
                    let (place, attempt) = self.active.swap_remove(i);
                    self.ended(place, attempt, exit, progress);
                }
            }
        }
        Ok(())
    }

    fn ended(
        &mut self,
        place: usize,
        attempt: Attempt,
        exit: ExitStatus,
        progress: &SweepProgress,
    ) {
        let complete = self.refresh(place).is_complete();
        let status = if complete {
            RecordedStatus::Done
        } else if self.stop.is_set() {
            RecordedStatus::Stopped
        } else if exit.code() == Some(EXIT_BUSY.into()) {
            // The one that trains it writes the record, too.
            self.elsewhere.push(place);
            return;
        } else {
            RecordedStatus::Failed
        };
        let record = match attempt.note(status, exit) {
            Ok(record) => record,
            Err(error) => return self.failed(place, &format!("{error:#}"), progress),
        };
        let id = self.refresh(place).id;
        match status {
            RecordedStatus::Done => {
                progress.line(&format!("{id}: finished after {:.0} s", record.seconds));
            }
            RecordedStatus::Failed => {
                self.failed(place, record.last_error.as_deref().unwrap_or_default(), progress);
            }
            RecordedStatus::Stopped | RecordedStatus::Running => self.queue.push(place),
        }
    }

    /// A run that failed is tried again when all others have had their turn.
    fn failed(&mut self, place: usize, why: &str, progress: &SweepProgress) {
        self.failed[place] += 1;
        let (id, count) = (self.runs[place].id, self.failed[place]);
        let last = why.lines().last().unwrap_or_default();
        if count < ATTEMPTS {
            progress.line(&format!("{id}: failed and will be tried again: {last}"));
            self.queue.insert(0, place);
        } else {
            progress.line(&format!("{id}: failed {count} times and is given up: {last}"));
            self.runs[place].state = RunState::Failed;
            self.failures.push(Failure { id, why: why.to_owned() });
        }
    }
}
