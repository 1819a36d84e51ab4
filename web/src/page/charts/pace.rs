//! Limits how often charts are redrawn.
//!
//! The worker reports every iteration, which can be hundreds of reports per second. Pictures of
//! these reports follow a [`paced`] signal: they are redrawn with the next frame, at most twenty
//! times a second, and not while the tab is hidden.

use std::time::Duration;

use leptos::prelude::*;

/// Minimum time in milliseconds between two drawings.
const PERIOD: f64 = 50.0;

#[derive(Clone, Copy, Default)]
struct Pace {
    is_due: bool,
    last: f64,
}

/// A signal that changes shortly after the signals that `track` reads have changed.
pub fn paced(track: impl Fn() + Send + Sync + 'static) -> Signal<u64> {
    let drawn = RwSignal::new(0_u64);
    let pace = StoredValue::new(Pace::default());
    let now = || window().performance().map_or(0.0, |performance| performance.now());
    let draw = move || {
        // Both are gone if the user has left the room.
        if pace.try_set_value(Pace { is_due: false, last: now() }).is_none() {
            drawn.try_update(|drawn| *drawn += 1);
        }
    };
    Effect::new(move || {
        track();
        let Pace { is_due, last } = pace.get_value();
        if is_due {
            return;
        }
        pace.set_value(Pace { is_due: true, last });
        let wait = (last + PERIOD - now()).max(0.0);
        if wait == 0.0 {
            request_animation_frame(draw);
        } else {
            set_timeout(move || request_animation_frame(draw), Duration::from_secs_f64(wait / 1e3));
        }
    });
    drawn.into()
}
