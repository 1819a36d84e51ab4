//! Signals of parts of the settings.

use leptos::prelude::*;

use crate::neighbourhood::Settings;

/// A signal for one part of the settings. It changes only with this part, so results that depend on
/// it are not recomputed while the user drags something else.
pub fn part<T: PartialEq + Send + Sync + 'static>(
    settings: RwSignal<Settings>,
    read: impl Fn(&Settings) -> T + Send + Sync + 'static,
) -> Memo<T> {
    Memo::new(move |_| settings.with(&read))
}
