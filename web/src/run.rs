//! The page's record of one agent's run, and how it changes when the user resets the agents or
//! loads a checkpoint, or when the worker dies.
//!
//! Two rules must hold for every sequence of events. First, the kept checkpoint belongs to the run
//! that is shown: it is dropped each time agents are created, and the worker then reports the
//! checkpoint from which it continues. Second, iterations count as saved only if the user has a
//! file with them, because the page must ask before an unsaved run is closed.

use deepspi_playground::archive::Archive;
use deepspi_playground::protocol::Event;

use crate::history::History;

/// The page's record of an agent's run. The default value belongs to an agent that is not created
/// yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    history: History,
    kept: Option<Archive>,
    /// Iterations of the checkpoint from which the agent was continued.
    begun: u64,
    /// Number of iterations that are saved.
    saved: usize,
    change: Option<Change>,
}

/// A request to which the worker has not reacted yet.
#[derive(Clone, Debug, PartialEq)]
enum Change {
    /// A new agent was requested; until it is ready, reports belong to the old run.
    Reset,
    /// This checkpoint of another run was sent; if it is refused, this run continues.
    Replacement(Archive),
}

impl Run {
    /// The run of a new agent that is being created.
    #[must_use]
    pub fn reset() -> Self {
        Self { change: Some(Change::Reset), ..Self::default() }
    }

    /// Notes that a checkpoint of another run is being loaded to replace this run.
    pub fn replace(&mut self, coming: Archive) {
        self.change = Some(Change::Replacement(coming));
    }

    /// Notes that the pending request failed: the run stays unchanged.
    pub fn stays(&mut self) {
        self.change = None;
    }

    /// Notes that the agent is ready and has completed this number of iterations.
    pub fn opened(&mut self, iterations: u64) {
        if matches!(self.change.take(), Some(Change::Replacement(_))) {
            self.history = History::default();
        } else {
            self.history.truncate(iterations);
        }
        self.saved = self.saved.min(self.history.iterations.len());
        self.kept = None;
        self.begun = iterations;
    }

    /// Iterations that the agent has completed, those before it was loaded from a file included.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.history.iterations.last().map_or(self.begun, |last| last.iteration + 1)
    }

    /// Adds an event of the trainer.
    pub fn push(&mut self, event: Event) {
        if !self.is_given_up() {
            self.history.push(event);
        }
    }

    /// Keeps a checkpoint; if the user has it as a file, all iterations so far are saved.
    pub fn checkpoint(&mut self, archive: Archive, as_file: bool) {
        if self.is_given_up() {
            return;
        }
        self.kept = Some(archive);
        if as_file {
            self.saved = self.history.iterations.len();
        }
    }

    /// The events of the run.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// The newest checkpoint, in case the worker dies.
    #[must_use]
    pub const fn kept(&self) -> Option<&Archive> {
        self.kept.as_ref()
    }

    /// The checkpoint from which this agent goes on when the other one is loaded: the one that is being
    /// loaded into this agent, else the kept one.
    #[must_use]
    pub const fn newest(&self) -> Option<&Archive> {
        match &self.change {
            Some(Change::Replacement(coming)) => Some(coming),
            _ => self.kept(),
        }
    }

    /// Whether reports of the worker still belong to the previous run.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.change == Some(Change::Reset)
    }

    /// Whether the agent was trained in this page.
    #[must_use]
    pub fn has_progress(&self) -> bool {
        !self.history.iterations.is_empty()
    }

    /// Whether closing the page would lose training that could be saved.
    #[must_use]
    pub fn has_unsaved(&self) -> bool {
        self.history.iterations.len() > self.saved
    }
}

#[cfg(test)]
mod tests {
    use deepspi_run::message::Iteration;
    use deepspi_run::metrics::Metrics;
    use deepspi_run::monitor::RatioBounds;

    use super::*;

    fn archive(name: &str) -> Archive {
        Archive { name: name.into(), bytes: Vec::new() }
    }

    /// Reports the iterations `from..to`.
    fn train(run: &mut Run, from: u64, to: u64) {
        for iteration in from..to {
            run.push(Event::Iteration(Box::new(Iteration {
                iteration,
                global_step: (iteration + 1) * 512,
                learning_rate: 1e-3,
                last: Metrics::default(),
                mean: Metrics::default(),
                explained_variance: 0.0,
                ratios: RatioBounds { sup: 1.0, inf: 1.0, limit: 1.1, premise_holds: true },
                certificate: None,
                avg_episodic_return: 0.0,
                finished_return: None,
                avg_episodic_length: 0.0,
                episodes: 0,
            })));
        }
    }

    /// A run with this number of iterations and with its own checkpoint.
    fn trained(iterations: u64) -> Run {
        let mut run = Run::reset();
        run.opened(0);
        train(&mut run, 0, iterations);
        run.checkpoint(archive("old"), false);
        run
    }

    #[test]
    fn after_a_reset_nothing_of_the_old_run_comes_back() {
        let mut run = trained(5);
        assert!(run.has_progress() && run.has_unsaved());
        run = Run::reset();
        // The iteration in progress ends before the worker reads the request.
        train(&mut run, 5, 6);
        run.checkpoint(archive("old"), false);
        run.checkpoint(archive("old, as a file"), true);
        assert!(run.is_given_up() && !run.has_progress());
        run.opened(0);
        assert_eq!(run, Run::default());
        train(&mut run, 0, 1);
        assert!(run.has_unsaved());
    }

    #[test]
    fn a_restart_goes_on_from_the_checkpoint_and_what_comes_after_it_is_unsaved() {
        let mut run = trained(3);
        run.checkpoint(archive("3"), true);
        assert!(!run.has_unsaved());
        train(&mut run, 3, 8);
        assert!(run.has_unsaved());
        run.checkpoint(archive("8"), true);
        run.opened(3);
        assert_eq!((run.history().iterations.len(), run.kept()), (3, None));
        run.checkpoint(archive("3"), false);
        assert!(!run.has_unsaved());
        train(&mut run, 3, 4);
        assert!(run.has_unsaved(), "one iteration more than the file has");
    }

    #[test]
    fn a_loaded_run_takes_the_place_of_the_one_before() {
        let mut run = trained(5);
        run.checkpoint(archive("mine"), true);
        assert_eq!(run.newest(), Some(&archive("mine")));
        run.replace(archive("theirs"));
        assert_eq!(run.newest(), Some(&archive("theirs")), "also if the other agent is loaded now");
        // Until the new run is ready, reports belong to the old one, which stays if the new one is
        // refused.
        train(&mut run, 5, 7);
        let mut refused = run.clone();
        refused.stays();
        assert_eq!(refused.newest(), Some(&archive("mine")));
        refused.opened(7);
        assert_eq!(refused.history().iterations.len(), 7);
        run.opened(2);
        assert!(!run.has_progress() && !run.has_unsaved());
        assert_eq!(run.newest(), None, "the worker reports the checkpoint it went on from");
        assert_eq!(run.completed(), 2, "those of the file count");
        train(&mut run, 2, 3);
        assert_eq!(run.completed(), 3);
        assert!(run.has_unsaved(), "what the old run had saved does not count");
    }
}
