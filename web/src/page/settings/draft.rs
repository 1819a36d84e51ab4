//! What the controls show, beside what is trained.
//!
//! `Playground::experiment` holds every value that can be read; what cannot (`"abc"` in a number box)
//! stays here with its error. Nothing a control does touches a run with progress: until the first
//! update the agents follow the controls by themselves, after it only [`Draft::restart`] does, which
//! is what the user presses.

use std::collections::BTreeMap;
use std::time::Duration;

use deepspi_options::SetError;
use deepspi_playground::experiment::Experiment;
use leptos::leptos_dom::helpers::debounce;
use leptos::prelude::*;

use crate::form::{Scope, default_of, enter, label};
use crate::page::state::{Phase, Playground};
use crate::run::Run;

/// Quiet time after which agents without progress follow the controls.
const FOLLOW: Duration = Duration::from_millis(400);

type Key = (Scope, &'static str);

/// Text in a box that is not a value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unreadable {
    text: String,
    /// The field's value meanwhile. When that changes (a preset, a link), the text is out of date.
    instead: String,
    error: String,
}

/// What the controls show.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    playground: Playground,
    unreadable: RwSignal<BTreeMap<Key, Unreadable>>,
    errors: Memo<BTreeMap<Key, String>>,
    progress: Memo<bool>,
}

impl Draft {
    /// Makes it and lets agents without progress follow it.
    #[must_use]
    pub fn provide(playground: Playground) -> Self {
        let unreadable = RwSignal::new(BTreeMap::new());
        let draft = Self {
            playground,
            unreadable,
            errors: Memo::new(move |_| errors(&playground.experiment.read(), &unreadable.read())),
            progress: Memo::new(move |_| has_progress(playground)),
        };
        provide_context(draft);
        let mut follow = debounce(FOLLOW, move |()| {
            if untrack(move || draft.follows()) {
                playground.reset();
            }
        });
        Effect::new(move |_| {
            if draft.follows() {
                follow(());
            }
        });
        draft
    }

    /// The one of this page.
    #[must_use]
    pub fn here() -> Self {
        expect_context()
    }

    /// What a field's box shows.
    #[must_use]
    pub fn text(self, scope: Scope, field: &'static str) -> String {
        let value = self.value(scope, field);
        let unreadable = self.unreadable.read();
        match unreadable.get(&(scope, field)) {
            Some(entry) if entry.instead == value => entry.text.clone(),
            _ => value,
        }
    }

    /// A field's value.
    #[must_use]
    pub fn value(self, scope: Scope, field: &'static str) -> String {
        self.playground
            .experiment
            .with(|experiment| scope.get(experiment, field))
            .unwrap_or_default()
    }

    /// What is allowed in a field whose text is not.
    #[must_use]
    pub fn error(self, scope: Scope, field: &'static str) -> Option<String> {
        self.errors.with(|errors| errors.get(&(scope, field)).cloned())
    }

    /// All errors, as sentences.
    #[must_use]
    pub fn error_texts(self) -> Vec<String> {
        self.errors.with(|errors| {
            errors
                .iter()
                .map(|((scope, field), error)| format!("{}: {error}", label(*scope, field)))
                .collect()
        })
    }

    /// The user wrote into a field.
    pub fn enter(self, scope: Scope, field: &'static str, text: &str) {
        let mut experiment = self.playground.experiment.get_untracked();
        let outcome = enter(&mut experiment, scope, field, text);
        let instead = scope.get(&experiment, field).unwrap_or_default();
        self.unreadable.update(|unreadable| match outcome {
            Err(SetError::Unreadable(error)) => {
                let (text, error) = (text.to_owned(), error.allowed.to_owned());
                unreadable.insert((scope, field), Unreadable { text, instead, error });
            }
            Ok(()) | Err(SetError::Unknown(_)) => drop(unreadable.remove(&(scope, field))),
        });
        if self.playground.experiment.with_untracked(|known| *known != experiment) {
            self.playground.experiment.set(experiment);
        }
    }

    /// Gives a field its default again.
    pub fn to_default(self, scope: Scope, field: &'static str) {
        self.enter(scope, field, &default_of(scope, field));
    }

    /// Shows another experiment.
    pub fn replace(self, experiment: Experiment) {
        self.unreadable.set(BTreeMap::new());
        self.playground.experiment.set(experiment);
    }

    /// Whether the controls show something else than what is trained.
    #[must_use]
    pub fn is_changed(self) -> bool {
        let playground = self.playground;
        *playground.experiment.read() != *playground.opened.read()
            || playground.preference.get() != playground.opened_preference.get()
    }

    /// Whether everything can be read and is within its range.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.errors.with(BTreeMap::is_empty)
    }

    /// Whether an agent has something to lose.
    #[must_use]
    pub fn has_progress(self) -> bool {
        self.progress.get()
    }

    /// Whether the agents are to be made anew without being asked.
    fn follows(self) -> bool {
        self.is_changed()
            && self.is_valid()
            && !self.has_progress()
            && !self.playground.status.get().running
            && self.playground.phase.get() == Phase::Ready
    }

    /// Both agents anew, with what the controls show.
    pub fn restart(self) {
        if untrack(move || self.is_valid()) {
            self.playground.reset();
        }
    }

    /// As [`Self::restart`], but asks first if a run would be lost.
    pub fn ask_restart(self) {
        if !self.progress.get_untracked()
            || confirmed("Start both agents anew? Their progress is lost.")
        {
            self.restart();
        }
    }

    /// Trains; agents that have not begun take what the controls show.
    pub fn start(self) {
        if untrack(move || self.follows()) {
            self.playground.reset();
        }
        self.playground.start();
    }

    /// One update; agents that have not begun take what the controls show.
    pub fn step(self) {
        if untrack(move || self.follows()) {
            self.playground.reset();
        }
        self.playground.step();
    }
}

/// A question that has to be answered; no where the browser does not ask.
#[must_use]
pub fn confirmed(question: &str) -> bool {
    window().confirm_with_message(question).unwrap_or(false)
}

fn has_progress(playground: Playground) -> bool {
    playground.agents.iter().any(|agent| {
        agent.run.with(Run::has_progress)
            || agent.view.with(|view| view.as_ref().is_some_and(|view| view.global_step > 0))
    })
}

fn errors(
    experiment: &Experiment,
    unreadable: &BTreeMap<Key, Unreadable>,
) -> BTreeMap<Key, String> {
    let ranges = experiment.errors().into_iter().map(|found| {
        let scope = found.agent.map_or(Scope::Maze, Scope::Agent);
        ((scope, found.error.field), found.error.allowed.to_owned())
    });
    let texts = unreadable.iter().filter(|((scope, field), entry)| {
        scope.get(experiment, field).is_some_and(|value| value == entry.instead)
    });
    ranges.chain(texts.map(|(key, entry)| (*key, entry.error.clone()))).collect()
}
