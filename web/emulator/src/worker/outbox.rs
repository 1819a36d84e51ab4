//! Sends answers to clients.

use deepspi_playground::emulator::{Answer, FRAMES, OBSERVATIONS};
use deepspi_playground::protocol::{BYTES, encode};
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessagePort};

use crate::client::Reply;

/// The worker's own global object.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Sends an answer and its arrays; their buffers are transferred.
pub fn post(port: &MessagePort, reply: &Reply<'_>) {
    let Some((message, transfer)) = message(&reply.answer) else { return };
    let arrays = [(OBSERVATIONS, reply.observations), (FRAMES, reply.frames.as_deref())];
    for (name, array) in arrays {
        let Some(array) = array else { continue };
        let array = Uint8Array::from(array);
        transfer.push(&array.buffer());
        if Reflect::set(&message, &name.into(), &array).is_err() {
            return;
        }
    }
    // Sending fails only if the other end is gone, and then nobody can be told.
    drop(port.post_message_with_transferable(&message, &transfer));
}

/// Tells a client that a request failed.
pub fn post_failure(port: &MessagePort, text: &str) {
    let answer = Answer::Failed { text: text.to_owned() };
    post(port, &Reply { answer, observations: None, frames: None });
}

/// Tells the page that the worker cannot go on.
pub fn post_failure_to_page(text: &str) {
    if let Some((message, transfer)) = message(&Answer::Failed { text: text.to_owned() }) {
        drop(scope().post_message_with_transfer(&message, &transfer));
    }
}

/// A message with an answer, and the list of buffers that are to be transferred.
fn message(answer: &Answer) -> Option<(Object, Array)> {
    let bytes = Uint8Array::from(encode(answer).ok()?.as_slice());
    let message = Object::new();
    Reflect::set(&message, &BYTES.into(), &bytes).ok()?;
    Some((message, Array::of1(&bytes.buffer())))
}
