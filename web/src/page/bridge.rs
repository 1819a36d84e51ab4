//! The connection to the worker: starts it, sends it requests and forwards its reports.
//!
//! Messages of a worker that was replaced may still arrive. They are ignored, because the listeners
//! of a worker are dropped together with it.

use deepspi_playground::packet::{self, Packet};
use deepspi_playground::protocol::{CANVAS, PORTS, Report, Request, encode};
use wasm_bindgen::prelude::*;
use web_sys::{
    ErrorEvent, MessageEvent, MessagePort, OffscreenCanvas, Worker, WorkerOptions, WorkerType,
};

use super::worker_error::reason;

/// The element of `index.html` that names the files of the site, and its attribute with the address
/// of the script that starts the worker.
const NAMES: &str = "start-script";
const SCRIPT: &str = "data-trainer";

/// What is transferred with a request.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    /// A canvas to draw on.
    pub canvas: Option<OffscreenCanvas>,
    /// Ports of emulator workers.
    pub ports: Vec<MessagePort>,
}

/// The worker, and its listeners, which must live as long as the worker.
#[derive(Default)]
pub struct Bridge {
    connection: Option<Connection>,
    /// Requests that were made before the worker accepted requests.
    waiting: Vec<(Vec<u8>, Attached)>,
}

struct Connection {
    worker: Worker,
    listening: bool,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bridge").field("connected", &self.connection.is_some()).finish()
    }
}

impl Bridge {
    /// Starts a new worker in place of the current one. `receive` is called with each of its
    /// reports. If the worker stops unexpectedly or sends a message that cannot be decoded,
    /// `receive` gets a fault.
    ///
    /// # Errors
    /// If the browser cannot start a worker; the error is the reason.
    pub fn restart(&mut self, receive: impl Fn(Report) + Copy + 'static) -> Result<(), String> {
        if let Some(connection) = self.connection.take() {
            connection.worker.terminate();
        }
        self.waiting.clear();
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&script()?, &options)
            .map_err(|error| format!("This browser could not start a web worker: {error:?}"))?;
        let on_message = Closure::new(move |event: MessageEvent| {
            reports(&event).into_iter().for_each(receive);
        });
        let on_error = Closure::new(move |event: ErrorEvent| {
            event.prevent_default();
            let text = format!("The trainer stopped unexpectedly: {}", reason(&event));
            receive(Report::Fault { text });
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        self.connection = Some(Connection {
            worker,
            listening: false,
            _on_message: on_message,
            _on_error: on_error,
        });
        Ok(())
    }

    /// Sends the waiting requests, because the worker now accepts requests.
    pub fn listening(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.listening = true;
        }
        for (bytes, attached) in std::mem::take(&mut self.waiting) {
            self.post(&bytes, &attached);
        }
    }

    /// Sends a request, with what is transferred to the worker.
    pub fn send(&mut self, request: &Request, attached: Attached) {
        let Ok(bytes) = encode(request) else { return };
        if self.connection.as_ref().is_some_and(|connection| connection.listening) {
            self.post(&bytes, &attached);
        } else {
            self.waiting.push((bytes, attached));
        }
    }

    fn post(&self, bytes: &[u8], attached: &Attached) {
        let Some(connection) = &self.connection else { return };
        let canvas = attached.canvas.as_ref().map(AsRef::as_ref);
        let packet = Packet::of_bytes(bytes)
            .and_then(|packet| packet.with_list(PORTS, &attached.ports.iter().collect()))
            .and_then(|packet| packet.with_object(CANVAS, canvas));
        // Sending fails only for a canvas that was transferred before; the worker then already
        // draws on it.
        if let Ok(packet) = packet {
            drop(connection.worker.post_message_with_transfer(&packet.message, &packet.transfer));
        }
    }
}

/// Address of the script that starts the trainer or a player.
///
/// # Errors
/// If the page does not name it.
pub fn script() -> Result<String, String> {
    let names = leptos::prelude::document().get_element_by_id(NAMES);
    let script = names.and_then(|names| names.get_attribute(SCRIPT));
    script.ok_or_else(|| "The page does not name its trainer: reload it.".to_owned())
}

/// The reports in a message of the worker; a fault if the message cannot be decoded.
fn reports(event: &MessageEvent) -> Vec<Report> {
    packet::message(&event.data())
        .unwrap_or_else(|error| vec![Report::Fault { text: error.to_string() }])
}
