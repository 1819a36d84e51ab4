//! Sends the player's reports to the page.

use deepspi_playground::emulator::{FRAMES, OBSERVATIONS};
use deepspi_playground::packet::Packet;
use deepspi_playground::play::Report;

use super::screen::Played;
use crate::worker::outbox;

/// Sends a report.
pub fn post(report: &Report) {
    if let Ok(packet) = Packet::new(report) {
        outbox::send(&packet);
    }
}

/// Sends a step with its arrays; their buffers are transferred, not copied.
pub fn post_step(screen: usize, played: Played) {
    let Played { step, frames, observation } = played;
    let packet = Packet::new(&Report::Played { screen, step: Box::new(step) })
        .and_then(|packet| packet.with_array(OBSERVATIONS, observation.as_ref()))
        .and_then(|packet| packet.with_array(FRAMES, frames.as_ref()));
    if let Ok(packet) = packet {
        outbox::send(&packet);
    }
}
