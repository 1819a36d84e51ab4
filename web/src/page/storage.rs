//! Stores small choices in the browser: theme, tour seen, keys enabled.
//!
//! A browser may forbid storage, or any call may fail; then nothing is stored, and the page works
//! without it.

use leptos::prelude::window;
use web_sys::Storage;

/// Prefix of the names of all entries, because a server may host other pages, too.
const PREFIX: &str = "deepspi-playground.";

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// The value stored under a name.
#[must_use]
pub fn recall(name: &str) -> Option<String> {
    storage()?.get_item(&format!("{PREFIX}{name}")).ok().flatten()
}

/// Stores a value if the browser allows it.
pub fn remember(name: &str, value: &str) {
    if let Some(storage) = storage() {
        drop(storage.set_item(&format!("{PREFIX}{name}"), value));
    }
}
