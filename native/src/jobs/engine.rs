//! Starts units of work, watches them, and starts the next ones.
//!
//! One thread looks at everything that is under way again and again: whatever happens to a unit,
//! nothing here waits for it alone.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Error, Result};

use crate::run::signals::StopFlag;

/// The longest time between two looks at the units that are under way,
const LOOK: Duration = Duration::from_millis(100);
/// and so many looks between two displays of how all units stand.
const SHOW_EVERY: u32 = 20;

/// What there is to do. A unit is known by its index, which only the executor can read.
#[derive(Clone, Debug)]
pub struct Units {
    /// Units to start, in this order.
    pub open: Vec<usize>,
    /// Units that another process does now.
    pub elsewhere: Vec<usize>,
    /// Units under way at a time; 0 counts as 1.
    pub jobs: usize,
    /// What a failed unit means.
    pub on_failure: OnFailure,
}

/// What a failed unit means for itself and the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// It is tried again when all others have had their turn, and given up after so many failures.
    TryAgain {
        /// Failures after which it is given up.
        attempts: u32,
    },
    /// Nothing more is started: a fault of one is a fault of all.
    EndAll,
}

/// What became of a unit that was started.
#[derive(Debug)]
pub enum UnitEnd {
    /// It is done, and what it leaves is kept.
    Finished,
    /// It ended because a stop was asked for.
    Stopped,
    /// Another process does it.
    Elsewhere,
    /// It failed.
    Failed(Error),
}

/// How a unit stands that another process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The other process still does it.
    Busy,
    /// The other process has left it unfinished.
    Open,
    /// It is done.
    Done,
}

/// What the engine decided about a unit.
#[derive(Debug)]
pub enum Notice<'a> {
    /// It waits for another process.
    Elsewhere,
    /// It failed and will be tried again.
    TriedAgain(&'a Error),
    /// It failed and is given up.
    GivenUp {
        /// How often it failed.
        failures: u32,
        /// Why, the last time.
        error: &'a Error,
    },
}

/// How units are done.
pub trait Executor {
    /// Starts a unit.
    ///
    /// # Errors
    /// If it cannot be started: the unit has then failed.
    fn start(&mut self, unit: usize) -> Result<()>;

    /// Waits until something happens, at most `at_most`; returns the units that have ended.
    ///
    /// # Errors
    /// If it cannot be told how a unit stands: everything ends.
    fn wait(&mut self, at_most: Duration) -> Result<Vec<(usize, UnitEnd)>>;

    /// Asks all units that are under way to stop; `urgent` if the user asked more than once. Called
    /// again and again until they have ended.
    fn stop(&mut self, urgent: bool);

    /// Looks again at a unit that another process does.
    fn look_elsewhere(&mut self, unit: usize) -> Standing;

    /// Tells the user what was decided about a unit.
    fn notice(&mut self, unit: usize, notice: Notice<'_>);

    /// Shows how all units stand, of which `active` are under way here; the `last` time at the end.
    fn show(&mut self, active: usize, last: bool);
}

/// What became of all units.
#[derive(Debug)]
pub struct Outcome {
    /// Units that were given up, each with its last error.
    pub failures: Vec<(usize, Error)>,
    /// Units that are not finished for no fault of theirs.
    pub left: usize,
}

/// Does the units until all are finished or given up, or a stop is asked for.
///
/// # Errors
/// If the executor cannot tell how its units stand; what fails in a unit is part of the outcome.
pub fn run(units: Units, executor: &mut impl Executor, stop: &StopFlag) -> Result<Outcome> {
    let count = units.open.iter().chain(&units.elsewhere).max().map_or(0, |last| last + 1);
    let engine = Engine {
        queue: units.open.into(),
        elsewhere: units.elsewhere,
        jobs: units.jobs.max(1),
        on_failure: units.on_failure,
        active: 0,
        failed: vec![0; count],
        failures: Vec::new(),
        executor,
    };
    engine.run(stop)
}

struct Engine<'a, E> {
    /// Units to be started.
    queue: VecDeque<usize>,
    elsewhere: Vec<usize>,
    jobs: usize,
    on_failure: OnFailure,
    /// Units that are under way here.
    active: usize,
    /// Failures of each unit.
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

    /// Whether a failure has ended everything.
    fn is_ending(&self) -> bool {
        self.on_failure == OnFailure::EndAll && !self.failures.is_empty()
    }

    /// Whether nothing is left to start or to wait for, besides what is under way.
    fn nothing_more(&self) -> bool {
        self.is_ending() || (self.queue.is_empty() && self.elsewhere.is_empty())
    }

    fn start_next(&mut self) {
        while self.active < self.jobs && !self.is_ending() {
            let Some(unit) = self.queue.pop_front() else { return };
            match self.executor.start(unit) {
                Ok(()) => self.active += 1,
                Err(error) => self.failed(unit, error),
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

    /// Ends every unit at the next look, as a script says.
    #[derive(Default)]
    struct Scripted {
        /// For each unit what becomes of it, the first time first; finished after the last.
        script: Vec<VecDeque<UnitEnd>>,
        started: Vec<usize>,
        under_way: Vec<usize>,
        most_under_way: usize,
        notices: Vec<String>,
        /// Looks at a unit elsewhere before the other process leaves it.
        busy: u32,
    }

    impl Executor for Scripted {
        fn start(&mut self, unit: usize) -> Result<()> {
            self.started.push(unit);
            self.under_way.push(unit);
            self.most_under_way = self.most_under_way.max(self.under_way.len());
            Ok(())
        }

        fn wait(&mut self, _: Duration) -> Result<Vec<(usize, UnitEnd)>> {
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
