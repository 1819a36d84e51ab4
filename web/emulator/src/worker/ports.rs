//! The clients at the ends of their ports.

use std::cell::RefCell;
use std::rc::Rc;

use deepspi_playground::emulator::Request;
use deepspi_playground::packet;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, MessagePort};

use super::ale::{Ale, Machine};
use super::{faults, outbox};
use crate::client::Client;

/// Serves a client from now on, until it closes.
pub fn connect(port: MessagePort, ale: Ale) {
    let client = Rc::new(RefCell::new(Client::new(move || ale.switch_on())));
    let (receiver, answers) = (client.clone(), port.clone());
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        receive(&event.data(), &receiver, &answers);
    });
    // The port owns its listeners, and both go when the other end does.
    port.set_onmessage(Some(on_message.into_js_value().unchecked_ref()));
    // Browsers since 2024 say when the other end is gone. In others the games of a client that was
    // terminated without `Request::Close` stay in memory until the worker ends.
    let gone = port.clone();
    let on_close = Closure::<dyn Fn()>::new(move || leave(&client, &gone));
    drop(port.add_event_listener_with_callback("close", on_close.into_js_value().unchecked_ref()));
    faults::add(port);
}

fn receive(data: &JsValue, client: &Rc<RefCell<Client<Machine>>>, port: &MessagePort) {
    // After a panic the state of this program is unknown.
    if let Some(text) = faults::fault() {
        outbox::post_failure(port, &text);
        return;
    }
    match packet::message(data) {
        Ok(Request::Close) => leave(client, port),
        Ok(request) => {
            if let Some(reply) = client.borrow_mut().serve(request) {
                outbox::post(port, &reply);
            }
        }
        Err(error) => outbox::post_failure(port, &error.to_string()),
    }
}

fn leave(client: &Rc<RefCell<Client<Machine>>>, port: &MessagePort) {
    client.borrow_mut().serve(Request::Close);
    faults::remove(port);
    port.set_onmessage(None);
    port.close();
}
