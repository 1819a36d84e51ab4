//! A helper for the `details` elements with tables.

use leptos::prelude::*;

/// Whether the `details` element of a toggle event is open now.
pub fn is_open(event: &web_sys::Event) -> bool {
    event_target::<web_sys::Element>(event).has_attribute("open")
}
