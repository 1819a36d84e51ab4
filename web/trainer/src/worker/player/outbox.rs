//! Sends the player's reports to the page.

use deepspi_playground::emulator::{FRAMES, OBSERVATIONS};
use deepspi_playground::packet::Packet;
use deepspi_playground::play::Report;
use js_sys::Uint8Array;

use super::screen::Played;
use crate::worker::outbox;

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
    let packet = Packet::new(report).and_then(|mut packet| {
        for (name, array) in arrays {
            if let Some(array) = array {
                packet.add_array(name, &array)?;
            }
        }
        Ok(packet)
    });
    if let Ok(packet) = packet {
        outbox::send(&packet);
    }
}
