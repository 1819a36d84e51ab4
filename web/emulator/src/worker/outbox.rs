//! Sends answers to clients.

use deepspi_playground::emulator::{Answer, FRAMES, OBSERVATIONS};
use deepspi_playground::packet::Packet;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessagePort};

use crate::client::Reply;

/// The worker's own global object.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Sends an answer and its arrays; their buffers are transferred.
pub fn post(port: &MessagePort, reply: &Reply<'_>) {
    let observations = reply.observations.map(Uint8Array::from);
    let frames = reply.frames.as_deref().map(Uint8Array::from);
    let packet = Packet::new(&reply.answer)
        .and_then(|packet| packet.with_array(OBSERVATIONS, observations.as_ref()))
        .and_then(|packet| packet.with_array(FRAMES, frames.as_ref()));
    if let Ok(packet) = packet {
        // Sending fails only if the other end is gone, and then nobody can be told.
        drop(port.post_message_with_transferable(&packet.message, &packet.transfer));
    }
}

/// Tells a client that a request failed.
pub fn post_failure(port: &MessagePort, text: &str) {
    let answer = Answer::Failed { text: text.to_owned() };
    post(port, &Reply { answer, observations: None, frames: None });
}

/// Tells the page that the worker cannot go on.
pub fn post_failure_to_page(text: &str) {
    if let Ok(packet) = Packet::new(&Answer::Failed { text: text.to_owned() }) {
        drop(scope().post_message_with_transfer(&packet.message, &packet.transfer));
    }
}
