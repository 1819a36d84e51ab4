//! Sends the player's reports to the page.

use deepspi_playground::emulator::{FRAMES, OBSERVATIONS};
use deepspi_playground::play::Report;
use deepspi_playground::protocol::{BYTES, encode};
use js_sys::{Array, Object, Reflect, Uint8Array};

use super::screen::Played;
use crate::worker::outbox::scope;

/// Sends a report.
pub fn post(report: &Report) {
    send(report, []);
}

/// Sends a step with its arrays; their buffers are transferred, not copied.
pub fn post_step(screen: usize, played: Played) {
    let Played { step, frames, observation } = played;
    let report = Report::Played { screen, step: Box::new(step) };
    send(&report, [(OBSERVATIONS, observation), (FRAMES, frames)]);
}

fn send<const N: usize>(report: &Report, arrays: [(&str, Option<Uint8Array>); N]) {
    let Ok(bytes) = encode(report) else { return };
    let (message, transfer) = (Object::new(), Array::new());
    let bytes = Uint8Array::from(bytes.as_slice());
    let mut fields = vec![(BYTES, bytes)];
    fields.extend(arrays.into_iter().filter_map(|(name, array)| Some((name, array?))));
    for (name, array) in fields {
        transfer.push(&array.buffer());
        if Reflect::set(&message, &name.into(), &array).is_err() {
            return;
        }
    }
    // Sending fails only if the page is closed, and then nobody can be told.
    drop(scope().post_message_with_transfer(&message, &transfer));
}
