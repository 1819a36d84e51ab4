//! Requests of the page, in order, which the session takes one at a time. A scene does not wait in
//! this queue: it goes directly to [`Drawings`].

use deepspi_playground::packet;
use deepspi_playground::protocol::{CANVAS, PORTS, Report, Request};
use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, MessagePort, OffscreenCanvas};

use super::drawings::Drawings;
use super::letters::Letters;
use super::outbox;

/// A request, and what was sent with it.
#[derive(Debug)]
pub struct Letter {
    /// What to do.
    pub request: Request,
    /// A canvas to draw on.
    pub canvas: Option<OffscreenCanvas>,
    /// Ports of emulator workers.
    pub ports: Vec<MessagePort>,
}

/// Receives requests from now on, for the life of the worker.
pub fn install(drawings: Drawings) -> Letters<Letter> {
    let inbox = Letters::default();
    let receiver = inbox.clone();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        receive(&receiver, &event.data(), &drawings);
    });
    outbox::scope().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    inbox
}

fn receive(inbox: &Letters<Letter>, data: &JsValue, drawings: &Drawings) {
    match packet::message(data) {
        Ok(Request::Scene { agent, scene }) => drawings.set_scene(agent, scene),
        Ok(request) => {
            let ports = packet::field(data, PORTS).dyn_into::<Array>().unwrap_or_default();
            inbox.push(Letter {
                request,
                canvas: packet::field(data, CANVAS).dyn_into().ok(),
                ports: ports.iter().filter_map(|port| port.dyn_into().ok()).collect(),
            });
        }
        Err(error) => outbox::post(Report::Fault { text: error.to_string() }),
    }
}
