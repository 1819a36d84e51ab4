//! Small choices that outlive the page: theme, tour seen, keys on.
//!
//! Browsers may forbid storage, or fail at any call; then nothing is remembered, and nothing else
//! happens.

use leptos::prelude::window;
use web_sys::Storage;

/// What the names of all entries begin with: a server may host other pages beside this one.
const PREFIX: &str = "deepspi-playground.";

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// The value kept under a name.
#[must_use]
pub fn recall(name: &str) -> Option<String> {
    storage()?.get_item(&format!("{PREFIX}{name}")).ok().flatten()
}

/// Keeps a value, if that is allowed.
pub fn remember(name: &str, value: &str) {
    if let Some(storage) = storage() {
        drop(storage.set_item(&format!("{PREFIX}{name}"), value));
    }
}
