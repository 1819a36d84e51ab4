//! Starts units of work, watches them, and starts the next ones.
//!
//! One thread checks all running units again and again, so that no unit can block the others.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Error, Result};

use crate::run::signals::StopFlag;

/// The longest time between two checks of the running units.
const LOOK: Duration = Duration::from_millis(100);
/// Number of checks between two updates of the display.
const SHOW_EVERY: u32 = 20;
/// Number of checks without a start after a unit could not be started; twice as many after the second in turn, and so on.
/// A disk that is full for minutes must not make every unit fail.
const PAUSE: u32 = 100;
/// The longest such pause.
const LONGEST_PAUSE: u32 = 600;

/// The work to be done. A unit is identified by its index, whose meaning only the executor knows.
#[derive(Clone, Debug)]
pub struct Units {
    /// Units to start, in this order.
    pub open: Vec<usize>,
    /// Units that another process is doing.
    pub elsewhere: Vec<usize>,
    /// Units that run at a time; 0 counts as 1.
    pub jobs: usize,
    /// What happens after a unit fails.
    pub on_failure: OnFailure,
}

/// What happens to a failed unit and to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The unit is tried again after all others have had their turn, and given up after `attempts`
    /// failures.
    TryAgain {
        /// Failures after which the unit is given up.
        attempts: u32,
    },
    /// No further unit is started, because all would fail for the same reason.
    EndAll,
}

/// How a unit that was started has ended.
#[derive(Debug)]
pub enum UnitEnd {
    /// It is finished and its result is saved.
    Finished,
    /// It ended because a stop was requested.
    Stopped,
    /// Another process is doing it.
    Elsewhere,
    /// It failed.
    Failed(Error),
}

/// State of a unit that another process was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The other process is still doing it.
    Busy,
    /// The other process has left it unfinished.
    Open,
    /// It is done.
    Done,
}

/// A decision of the engine about a unit.
#[derive(Debug)]
pub enum Notice<'a> {
    /// It waits for another process.
    Elsewhere,
    /// It failed and will be tried again.
    TriedAgain(&'a Error),
    /// It failed and is given up.
    GivenUp {
        /// Number of its failures.
        failures: u32,
        /// The error of the last failure.
        error: &'a Error,
    },
}

/// Performs the units.
pub trait Executor {
    /// Starts a unit.
    ///
    /// # Errors
    /// If the unit cannot be started; it then counts as failed.
    fn start(&mut self, unit: usize) -> Result<()>;

    /// Waits for at most `at_most` until something happens; returns the units that have ended.
    ///
    /// # Errors
    /// If the state of a unit cannot be determined; the engine then ends.
    fn wait(&mut self, at_most: Duration) -> Result<Vec<(usize, UnitEnd)>>;

    /// Asks all running units to stop; `urgent` if the user asked more than once. Called again and
    /// again until the units have ended.
    fn stop(&mut self, urgent: bool);

    /// Checks again a unit that another process was doing.
    fn look_elsewhere(&mut self, unit: usize) -> Standing;

    /// Tells the user what the engine decided about a unit.
    fn notice(&mut self, unit: usize, notice: Notice<'_>);

    /// Shows the state of all units, `active` of which are running here; `last` is set in the final
    /// call.
    fn show(&mut self, active: usize, last: bool);
}

/// Result of all units.
#[derive(Debug)]
pub struct Outcome {
    /// Units that were given up, each with its last error.
    pub failures: Vec<(usize, Error)>,
    /// Number of units that are unfinished although they did not fail.
    pub left: usize,
}

/// Performs the units until all are finished or given up, or a stop is requested.
///
/// # Errors
/// If the executor cannot determine the state of its units. Errors of single units are part of the
/// outcome.
pub fn run(units: Units, executor: &mut impl Executor, stop: &StopFlag) -> Result<Outcome> {
    let count = units.open.iter().chain(&units.elsewhere).max().map_or(0, |last| last + 1);
    let engine = Engine {
        queue: units.open.into(),
        elsewhere: units.elsewhere,
        jobs: units.jobs.max(1),
        on_failure: units.on_failure,
        active: 0,
        refusals: 0,
        pause: 0,
        failed: vec![0; count],
        failures: Vec::new(),
        executor,
    };
    engine.run(stop)
}

struct Engine<'a, E> {
    /// Units that are still to be started.
    queue: VecDeque<usize>,
    elsewhere: Vec<usize>,
    jobs: usize,
    on_failure: OnFailure,
    /// Units that are running here.
    active: usize,
    /// Number of units in turn that could not be started.
    refusals: u32,
    /// Number of checks until a unit is started again.
    pause: u32,
    /// Number of failures of each unit.
    failed: Vec<u32>,
    failures: Vec<(usize, Error)>,
    executor: &'a mut E,
}

impl<E: Executor> Engine<'_, E> {
    fn run(mut self, stop: &StopFlag) -> Result<Outcome> {
        let mut looks: u32 = 0;
        for unit in &self.elsewhere {
            self.executor.notice(*unit, Notice::Elsewhere);
        }
        loop {
            if stop.is_set() {
                self.executor.stop(stop.is_urgent());
            } else {
                self.start_next();
            }
            if self.active == 0 && (stop.is_set() || self.nothing_more()) {
                break;
            }
            if looks.is_multiple_of(SHOW_EVERY) {
                self.look_elsewhere();
                self.executor.show(self.active, false);
            }
            looks = looks.wrapping_add(1);
            for (unit, end) in self.executor.wait(LOOK)? {
                self.active -= 1;
                self.ended(unit, end);
            }
        }
        self.executor.show(0, true);
        let left = self.queue.len() + self.elsewhere.len();
        Ok(Outcome { failures: self.failures, left })
    }

    /// Whether a failure has ended the whole work.
    fn is_ending(&self) -> bool {
        self.on_failure == OnFailure::EndAll && !self.failures.is_empty()
    }

    /// Whether there is nothing to start or to wait for, other than the running units.
    fn nothing_more(&self) -> bool {
        self.is_ending() || (self.queue.is_empty() && self.elsewhere.is_empty())
    }

    fn start_next(&mut self) {
        self.pause = self.pause.saturating_sub(1);
        while self.active < self.jobs && self.pause == 0 && !self.is_ending() {
            let Some(unit) = self.queue.pop_front() else { return };
            match self.executor.start(unit) {
                Ok(()) => {
                    self.active += 1;
                    self.refusals = 0;
                }
                Err(error) => {
                    self.failed(unit, error);
                    self.refusals += 1;
                    self.pause = PAUSE.saturating_mul(self.refusals).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn look_elsewhere(&mut self) {
        for unit in std::mem::take(&mut self.elsewhere) {
            match self.executor.look_elsewhere(unit) {
                Standing::Busy => self.elsewhere.push(unit),
                Standing::Open => self.queue.push_front(unit),
                Standing::Done => {}
            }
        }
    }

    fn ended(&mut self, unit: usize, end: UnitEnd) {
        match end {
            UnitEnd::Finished => {}
            UnitEnd::Stopped => self.queue.push_front(unit),
            UnitEnd::Elsewhere => self.elsewhere.push(unit),
            UnitEnd::Failed(error) => self.failed(unit, error),
        }
    }

    fn failed(&mut self, unit: usize, error: Error) {
        self.failed[unit] += 1;
        let failures = self.failed[unit];
        match self.on_failure {
            OnFailure::TryAgain { attempts } if failures < attempts => {
                self.executor.notice(unit, Notice::TriedAgain(&error));
                self.queue.push_back(unit);
            }
            _ => {
                self.executor.notice(unit, Notice::GivenUp { failures, error: &error });
                self.failures.push((unit, error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    /// Ends every unit at the next check, as the script says.
    #[derive(Default)]
    struct Scripted {
        /// For each unit the ends of its attempts, the first attempt first; later attempts finish.
        script: Vec<VecDeque<UnitEnd>>,
        started: Vec<usize>,
        under_way: Vec<usize>,
        most_under_way: usize,
        notices: Vec<String>,
        /// Checks of a unit elsewhere before the other process leaves it.
        busy: u32,
        /// Checks so far, and before which of them no unit can be started.
        looks: u32,
        full_until: u32,
    }

    impl Executor for Scripted {
        fn start(&mut self, unit: usize) -> Result<()> {
            anyhow::ensure!(self.looks >= self.full_until, "full");
            self.started.push(unit);
            self.under_way.push(unit);
            self.most_under_way = self.most_under_way.max(self.under_way.len());
            Ok(())
        }

        fn wait(&mut self, _: Duration) -> Result<Vec<(usize, UnitEnd)>> {
            self.looks += 1;
            let ended = std::mem::take(&mut self.under_way).into_iter();
            let end = |unit: usize| {
                let scripted = self.script.get_mut(unit).and_then(VecDeque::pop_front);
                (unit, scripted.unwrap_or(UnitEnd::Finished))
            };
            Ok(ended.map(end).collect())
        }

        fn stop(&mut self, _: bool) {}

        fn look_elsewhere(&mut self, _: usize) -> Standing {
            self.busy = self.busy.saturating_sub(1);
            if self.busy > 0 { Standing::Busy } else { Standing::Open }
        }

        fn notice(&mut self, unit: usize, notice: Notice<'_>) {
            self.notices.push(match notice {
                Notice::Elsewhere => format!("{unit} elsewhere"),
                Notice::TriedAgain(error) => format!("{unit} again: {error}"),
                Notice::GivenUp { failures, error } => format!("{unit} {failures} times: {error}"),
            });
        }

        fn show(&mut self, _: usize, _: bool) {}
    }

    fn failures(count: u32) -> VecDeque<UnitEnd> {
        (1..=count).map(|number| UnitEnd::Failed(anyhow!("fault {number}"))).collect()
    }

    fn units(open: &[usize], on_failure: OnFailure) -> Units {
        Units { open: open.to_vec(), elsewhere: Vec::new(), jobs: 2, on_failure }
    }

    #[test]
    fn a_failed_unit_waits_for_all_others_and_is_given_up_in_the_end() {
        let mut executor =
            Scripted { script: vec![failures(1), failures(9)], ..Scripted::default() };
        let units = units(&[0, 1, 2, 3], OnFailure::TryAgain { attempts: 3 });
        let outcome = run(units, &mut executor, &StopFlag::default()).expect("it tells");
        assert_eq!(executor.started, [0, 1, 2, 3, 0, 1, 1]);
        assert_eq!(executor.most_under_way, 2);
        assert_eq!(
            executor.notices,
            ["0 again: fault 1", "1 again: fault 1", "1 again: fault 2", "1 3 times: fault 3"]
        );
        assert_eq!((outcome.failures.len(), outcome.left), (1, 0));
        assert_eq!(outcome.failures[0].0, 1);
    }

    #[test]
    fn a_disk_that_is_full_for_a_while_costs_no_unit() {
        // Eight minutes; each unit has three attempts.
        let mut executor = Scripted { full_until: 8 * 600, ..Scripted::default() };
        let all: Vec<usize> = (0..8).collect();
        let on_failure = OnFailure::TryAgain { attempts: 3 };
        let outcome = run(units(&all, on_failure), &mut executor, &StopFlag::default());
        let outcome = outcome.expect("it tells");
        assert_eq!((outcome.failures.len(), outcome.left), (0, 0));
        executor.started.sort_unstable();
        assert_eq!(executor.started, all);
        // A disk that stays full ends the work nevertheless.
        let mut executor = Scripted { full_until: u32::MAX, ..Scripted::default() };
        let outcome = run(units(&[0, 1], on_failure), &mut executor, &StopFlag::default());
        let outcome = outcome.expect("it tells");
        assert_eq!((outcome.failures.len(), outcome.left), (2, 0));
    }

    #[test]
    fn a_fault_of_one_can_be_a_fault_of_all() {
        let mut executor = Scripted { script: vec![failures(1)], ..Scripted::default() };
        let units = units(&[0, 1, 2, 3], OnFailure::EndAll);
        let outcome = run(units, &mut executor, &StopFlag::default()).expect("it tells");
        assert_eq!(executor.started, [0, 1], "what was under way ended, nothing more was started");
        assert_eq!((outcome.failures.len(), outcome.left), (1, 2));
    }

    #[test]
    fn what_another_process_leaves_is_done_here() {
        let mut executor = Scripted {
            script: vec![VecDeque::from([UnitEnd::Elsewhere])],
            busy: 2,
            ..Scripted::default()
        };
        let on_failure = OnFailure::TryAgain { attempts: 3 };
        let units = Units { elsewhere: vec![1], ..units(&[0], on_failure) };
        let outcome = run(units, &mut executor, &StopFlag::default()).expect("it tells");
        executor.started.sort_unstable();
        assert_eq!(executor.started, [0, 0, 1]);
        assert_eq!(executor.notices, ["1 elsewhere"]);
        assert_eq!((outcome.failures.len(), outcome.left), (0, 0));
    }
}
