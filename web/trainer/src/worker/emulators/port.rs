//! The connection to one emulator worker: requests, and exactly one answer to each, in order.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use deepspi_playground::emulator::{Answer, FRAMES, OBSERVATIONS, Request};
use deepspi_playground::packet::{self, Packet};
use deepspi_worlds::env::EnvError;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, MessagePort};

/// Why an emulator worker did not do what it was asked to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the emulator: {0}")]
pub struct EmulatorError(pub String);

/// An answer and the arrays beside it.
#[derive(Debug)]
pub struct Answered {
    /// The message.
    pub answer: Answer,
    /// `[n, F, 84, 84]`, after a step.
    pub observations: Option<Uint8Array>,
    /// `[k, 210, 160]`, after a step of games that are filmed.
    pub frames: Option<Uint8Array>,
}

/// A client's end of a port. Dropping it closes the port, and the worker forgets its games.
#[derive(Debug)]
pub struct EmulatorPort {
    port: MessagePort,
    received: Rc<RefCell<Received>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

#[derive(Debug, Default)]
struct Received {
    answers: VecDeque<Answered>,
    waiting: Option<Waker>,
}

impl EmulatorPort {
    /// Takes over a port of which an emulator worker has the other end.
    pub fn new(port: MessagePort) -> Self {
        let received = Rc::<RefCell<Received>>::default();
        let receiver = received.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let mut received = receiver.borrow_mut();
            received.answers.push_back(read(&event.data()));
            if let Some(waker) = received.waiting.take() {
                waker.wake();
            }
        });
        // This also starts the port.
        port.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Self { port, received, _on_message: on_message }
    }

    /// Sends a request; [`Self::answer`] must follow.
    ///
    /// # Errors
    /// If the request cannot be written or sent.
    pub fn send(&self, request: &Request) -> Result<(), EnvError> {
        Packet::new(request)
            .and_then(|packet| {
                self.port.post_message_with_transferable(&packet.message, &packet.transfer)
            })
            .map_err(|error| {
                EnvError::new(EmulatorError(format!("a request could not be sent ({error:?})")))
            })
    }

    /// Waits for the next answer.
    ///
    /// # Errors
    /// The worker's own text if it could not carry out the request.
    pub async fn answer(&self) -> Result<Answered, EnvError> {
        let next = poll_fn(|context| {
            let mut received = self.received.borrow_mut();
            match received.answers.pop_front() {
                Some(answered) => Poll::Ready(answered),
                None => {
                    received.waiting = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        });
        match next.await {
            Answered { answer: Answer::Failed { text }, .. } => {
                Err(EnvError::new(EmulatorError(text)))
            }
            answered => Ok(answered),
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// As in [`Self::send`] and [`Self::answer`].
    pub async fn ask(&self, request: &Request) -> Result<Answered, EnvError> {
        self.send(request)?;
        self.answer().await
    }
}

impl Drop for EmulatorPort {
    fn drop(&mut self) {
        drop(self.send(&Request::Close));
        self.port.set_onmessage(None);
        self.port.close();
    }
}

/// The error for an answer to another request than the one that was sent.
pub fn unexpected() -> EnvError {
    let text = "an answer does not belong to the request; reload the page";
    EnvError::new(EmulatorError(text.to_owned()))
}

fn read(data: &JsValue) -> Answered {
    let answer =
        packet::message(data).unwrap_or_else(|error| Answer::Failed { text: error.to_string() });
    let array = |name| packet::array(data, name);
    Answered { answer, observations: array(OBSERVATIONS), frames: array(FRAMES) }
}
