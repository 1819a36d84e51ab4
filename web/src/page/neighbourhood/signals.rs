//! Signals of parts of the settings.

use leptos::prelude::*;

use crate::neighbourhood::Settings;

/// A part of the settings. It changes only with its own value: what follows from it is not computed
/// again while something else is dragged.
pub fn part<T: PartialEq + Send + Sync + 'static>(
    settings: RwSignal<Settings>,
    read: impl Fn(&Settings) -> T + Send + Sync + 'static,
) -> Memo<T> {
    Memo::new(move |_| settings.with(&read))
}
