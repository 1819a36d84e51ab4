//! The settings in the controls, which can differ from what is trained.
//!
//! `Playground::experiment` holds all values that can be parsed; input that cannot (`"abc"` in a
//! number box) stays here with its error. A control must never change a run with progress: before
//! the first update the agents follow the controls automatically; after it only [`Draft::restart`],
//! which the user starts, applies the settings.

use std::collections::BTreeMap;
use std::time::Duration;

use deepspi_options::SetError;
use deepspi_playground::experiment::Experiment;
use leptos::leptos_dom::helpers::debounce;
use leptos::prelude::*;

use crate::form::{Scope, default_of, enter, label};
use crate::page::state::{Phase, Playground};
use crate::run::Run;

/// Time without changes after which agents without progress follow the controls.
const FOLLOW: Duration = Duration::from_millis(400);

type Key = (Scope, &'static str);

/// Text in a box that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unreadable {
    text: String,
    /// The value of the field when the text was entered. If the value changes (by a preset or a
    /// link), the text is outdated.
    instead: String,
    error: String,
}

/// The settings in the controls.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    playground: Playground,
    unreadable: RwSignal<BTreeMap<Key, Unreadable>>,
    errors: Memo<BTreeMap<Key, String>>,
    progress: Memo<bool>,
}

impl Draft {
    /// Creates the draft, and makes agents without progress follow it.
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

    /// The draft of this page, from the context.
    #[must_use]
    pub fn here() -> Self {
        expect_context()
    }

    /// The text in a field's box.
    #[must_use]
    pub fn text(self, scope: Scope, field: &'static str) -> String {
        let value = self.value(scope, field);
        let unreadable = self.unreadable.read();
        match unreadable.get(&(scope, field)) {
            Some(entry) if entry.instead == value => entry.text.clone(),
            _ => value,
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn value(self, scope: Scope, field: &'static str) -> String {
        self.playground
            .experiment
            .with(|experiment| scope.get(experiment, field))
            .unwrap_or_default()
    }

    /// The allowed range of a field, if its text or value is not allowed.
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

    /// Sets a field to the text that the user entered.
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

    /// Resets a field to its default.
    pub fn to_default(self, scope: Scope, field: &'static str) {
        self.enter(scope, field, &default_of(scope, field));
    }

    /// Shows another experiment.
    pub fn replace(self, experiment: Experiment) {
        self.unreadable.set(BTreeMap::new());
        self.playground.experiment.set(experiment);
    }

    /// Whether the settings in the controls differ from what is trained.
    #[must_use]
    pub fn is_changed(self) -> bool {
        let playground = self.playground;
        *playground.experiment.read() != *playground.opened.read()
            || playground.preference.get() != playground.opened_preference.get()
    }

    /// Whether all values can be parsed and are in range.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.errors.with(BTreeMap::is_empty)
    }

    /// Whether an agent has progress that could be lost.
    #[must_use]
    pub fn has_progress(self) -> bool {
        self.progress.get()
    }

    /// Whether the agents should be created anew automatically.
    fn follows(self) -> bool {
        self.is_changed()
            && self.is_valid()
            && !self.has_progress()
            && !self.playground.status.get().running
            && (self.playground.phase.get() == Phase::Ready
                || self.playground.awaits.get().is_some())
    }

    /// Creates both agents anew with the settings in the controls.
    pub fn restart(self) {
        if untrack(move || self.is_valid()) {
            self.playground.reset();
        }
    }

    /// Like [`Self::restart`], but asks first if a run would be lost.
    pub fn ask_restart(self) {
        if !self.progress.get_untracked()
            || confirmed("Start both agents anew? Their progress is lost.")
        {
            self.restart();
        }
    }

    /// Starts training; agents without progress use the settings in the controls.
    pub fn start(self) {
        if untrack(move || self.follows()) {
            self.playground.reset();
        }
        self.playground.start();
    }

    /// Trains one update; agents without progress use the settings in the controls.
    pub fn step(self) {
        if untrack(move || self.follows()) {
            self.playground.reset();
        }
        self.playground.step();
    }
}

/// Asks a question that must be answered; false if the browser cannot ask.
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
        let scope = Scope::of_error(found.agent, found.error.field);
        ((scope, found.error.field), found.error.allowed.to_owned())
    });
    let texts = unreadable.iter().filter(|((scope, field), entry)| {
        scope.get(experiment, field).is_some_and(|value| value == entry.instead)
    });
    ranges.chain(texts.map(|(key, entry)| (*key, entry.error.clone()))).collect()
}
