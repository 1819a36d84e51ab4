//! Performs units of work in threads of this process.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::Duration;

use anyhow::Result;

use super::engine::{Executor, Notice, OnFailure, Outcome, Standing, UnitEnd, Units, run};
use crate::run::signals::StopFlag;

/// Performs units 0 to `count` - 1, `jobs` at a time, each with `work` in a thread of its own.
/// `work` returns the result of the unit, or `None` if it ended because of `stop`. Returns the
/// results with the indices of their units, in the order in which they finished. After the first
/// failure nothing more is started.
///
/// # Errors
/// Never: errors of single units are part of the outcome.
pub fn on_threads<T: Send>(
    count: usize,
    jobs: usize,
    stop: &StopFlag,
    work: impl Fn(usize) -> Result<Option<T>> + Sync,
) -> Result<(Vec<(usize, T)>, Outcome)> {
    let units = Units {
        open: (0..count).collect(),
        elsewhere: Vec::new(),
        jobs,
        on_failure: OnFailure::EndAll,
    };
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        let mut executor = Threads { scope, work: &work, sender, receiver, finished: Vec::new() };
        let outcome = run(units, &mut executor, stop)?;
        Ok((executor.finished, outcome))
    })
}

/// Message of a thread at its end. A panic is reported as well, because the engine would otherwise
/// wait for ever.
type Said<T> = (usize, Result<Result<Option<T>>, Box<dyn Any + Send>>);

struct Threads<'scope, 'env, T, F> {
    scope: &'scope Scope<'scope, 'env>,
    work: &'env F,
    sender: Sender<Said<T>>,
    receiver: Receiver<Said<T>>,
    finished: Vec<(usize, T)>,
}

impl<'scope, 'env, T, F> Executor for Threads<'scope, 'env, T, F>
where
    T: Send + 'scope,
    F: Fn(usize) -> Result<Option<T>> + Sync + 'env,
{
    fn start(&mut self, unit: usize) -> Result<()> {
        let (work, sender) = (self.work, self.sender.clone());
        self.scope.spawn(move || {
            let end = catch_unwind(AssertUnwindSafe(|| work(unit)));
            // The receiver is gone only after a panic of another unit.
            drop(sender.send((unit, end)));
        });
        Ok(())
    }

    fn wait(&mut self, at_most: Duration) -> Result<Vec<(usize, UnitEnd)>> {
        let (unit, end) = match self.receiver.recv_timeout(at_most) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Ok(Vec::new());
            }
        };
        let end = match end.unwrap_or_else(|panic| resume_unwind(panic)) {
            Ok(Some(left)) => {
                self.finished.push((unit, left));
                UnitEnd::Finished
            }
            Ok(None) => UnitEnd::Stopped,
            Err(error) => UnitEnd::Failed(error),
        };
        Ok(vec![(unit, end)])
    }

    /// The work checks the flag itself.
    fn stop(&mut self, _: bool) {}

    /// No other process does the units of this process.
    fn look_elsewhere(&mut self, _: usize) -> Standing {
        Standing::Open
    }

    fn notice(&mut self, _: usize, _: Notice<'_>) {}

    fn show(&mut self, _: usize, _: bool) {}
}

#[cfg(test)]
mod tests {
    use anyhow::{anyhow, ensure};

    use super::*;

    #[test]
    fn every_unit_is_done_once() {
        let (mut done, outcome) =
            on_threads(20, 3, &StopFlag::default(), |unit| Ok(Some(unit * unit))).expect("done");
        done.sort_unstable();
        assert_eq!(done, (0..20).map(|unit| (unit, unit * unit)).collect::<Vec<_>>());
        assert_eq!((outcome.failures.len(), outcome.left), (0, 0));
    }

    #[test]
    fn what_was_done_before_a_failure_stays() {
        let work = |unit| {
            ensure!(unit < 5, "no unit {unit}");
            Ok(Some(unit))
        };
        let (done, outcome) = on_threads(9, 1, &StopFlag::default(), work).expect("it tells");
        assert_eq!(done, [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]);
        assert_eq!(outcome.left, 3);
        assert_eq!(outcome.failures[0].1.to_string(), "no unit 5");
    }

    #[test]
    fn a_stopped_unit_is_left() {
        let stop = StopFlag::default();
        let work = |unit| {
            if unit == 1 {
                stop.set();
            }
            Ok((!stop.is_set()).then_some(unit))
        };
        let (done, outcome) = on_threads(4, 1, &stop, work).expect("it tells");
        assert_eq!(done, [(0, 0)]);
        assert_eq!((outcome.failures.len(), outcome.left), (0, 3));
    }

    #[test]
    #[should_panic(expected = "a fault of the program")]
    fn a_panic_of_a_unit_is_one_of_all() {
        let work = |unit| -> Result<Option<()>> {
            assert!(unit == 0, "a fault of the program");
            Err(anyhow!("the engine still waits for unit 1"))
        };
        drop(on_threads(2, 2, &StopFlag::default(), work));
    }
}
