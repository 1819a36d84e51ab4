//! The connection to the player worker, which plays on both screens.

use deepspi_playground::emulator::{FRAMES, OBSERVATIONS, PORT};
use deepspi_playground::packet::{self, Packet};
use deepspi_playground::play::{Report, Request, WORKER_NAME};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, MessagePort, Worker, WorkerOptions, WorkerType};

use crate::page::bridge::script;
use crate::page::worker_error::reason;

/// A report and the arrays that were sent with it.
#[derive(Debug)]
pub struct Told {
    /// The message.
    pub report: Report,
    /// `[k, 210, 160]`: the frames of a step.
    pub frames: Vec<u8>,
    /// `[F, 84, 84]`: the observation after it.
    pub observation: Vec<u8>,
}

/// The worker, and its listeners, which must live as long as the worker.
#[derive(Debug)]
pub struct PlayerWorker {
    worker: Worker,
    listening: bool,
    /// Requests from before the worker was loaded.
    waiting: Vec<(Request, Option<MessagePort>)>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl PlayerWorker {
    /// Starts the worker. `receive` gets its reports.
    ///
    /// # Errors
    /// If the browser cannot start a worker.
    pub fn start(receive: impl Fn(Told) + Copy + 'static) -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(WORKER_NAME);
        let worker = Worker::new_with_options(&script()?, &options)
            .map_err(|error| format!("This browser could not start a web worker: {error:?}"))?;
        let on_message = Closure::new(move |event: MessageEvent| receive(read(&event.data())));
        let on_error = Closure::new(move |event: ErrorEvent| {
            event.prevent_default();
            let text = format!("The player stopped unexpectedly: {}", reason(&event));
            let report = Report::Fault { text };
            receive(Told { report, frames: Vec::new(), observation: Vec::new() });
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self {
            worker,
            listening: false,
            waiting: Vec::new(),
            _on_message: on_message,
            _on_error: on_error,
        })
    }

    /// Sends the waiting requests, because the worker is loaded.
    pub fn listening(&mut self) {
        self.listening = true;
        for (request, port) in std::mem::take(&mut self.waiting) {
            self.post(&request, port.as_ref());
        }
    }

    /// Sends a request, with the port of an emulator worker if it needs one.
    pub fn send(&mut self, request: Request, port: Option<MessagePort>) {
        if self.listening {
            self.post(&request, port.as_ref());
        } else {
            self.waiting.push((request, port));
        }
    }

    fn post(&self, request: &Request, port: Option<&MessagePort>) {
        let packet = Packet::new(request);
        if let Ok(packet) = packet.and_then(|it| it.with_object(PORT, port.map(AsRef::as_ref))) {
            // Sending fails only for a port that was transferred before.
            drop(self.worker.post_message_with_transfer(&packet.message, &packet.transfer));
        }
    }
}

impl Drop for PlayerWorker {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

fn read(data: &JsValue) -> Told {
    let array = |name| packet::array(data, name).map(|array| array.to_vec()).unwrap_or_default();
    let report =
        packet::message(data).unwrap_or_else(|error| Report::Fault { text: error.to_string() });
    Told { report, frames: array(FRAMES), observation: array(OBSERVATIONS) }
}
