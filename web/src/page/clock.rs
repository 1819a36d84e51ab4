//! Work that is repeated while a part of the page is open.

use std::time::Duration;

use leptos::leptos_dom::helpers::{IntervalHandle, set_interval_with_handle};
use leptos::prelude::*;

/// Does `work` once in every `period` while `open` is true and the calling component is there.
pub fn every_while(open: RwSignal<bool>, period: Duration, work: impl Fn() + Copy + 'static) {
    let clock = StoredValue::new_local(None);
    let stop = move || {
        if let Some(Some(clock)) = clock.try_update_value(Option::take) {
            IntervalHandle::clear(&clock);
        }
    };
    Effect::new(move || {
        stop();
        if open.get() {
            clock.set_value(set_interval_with_handle(work, period).ok());
        }
    });
    on_cleanup(stop);
}
