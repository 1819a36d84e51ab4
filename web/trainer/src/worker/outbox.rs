//! Sends reports to the page, in the order in which they were written.
//!
//! An iteration of a small network takes a few milliseconds, and a message costs a large part of a
//! millisecond on both sides. So a report that is not urgent is sent together with the next urgent
//! one; during training that is the next view.

use std::cell::RefCell;

use deepspi_playground::packet::Packet;
use deepspi_playground::protocol::Report;
use wasm_bindgen::JsCast as _;
use web_sys::DedicatedWorkerGlobalScope;

thread_local! {
    static WAITING: RefCell<Vec<Report>> = const { RefCell::new(Vec::new()) };
}

/// The worker's own global object.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Sends a report together with the next one that is passed to [`post`].
pub fn post_soon(report: Report) {
    WAITING.with_borrow_mut(|waiting| waiting.push(report));
}

/// Sends a report and all waiting ones; the buffer is transferred, not copied.
pub fn post(report: Report) {
    post_soon(report);
    if let Ok(packet) = Packet::new(&WAITING.take()) {
        send(&packet);
    }
}

/// Sends a packet to the page.
pub fn send(packet: &Packet) {
    // Sending fails only if the page is closed, and then nobody can be told.
    drop(scope().post_message_with_transfer(&packet.message, &packet.transfer));
}
