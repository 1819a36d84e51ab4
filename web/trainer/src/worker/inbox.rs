//! Requests of the page, in order, which the session takes one at a time. A scene does not wait in
//! this queue: it goes directly to [`Drawings`].

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use deepspi_playground::protocol::{BYTES, CANVAS, Report, Request, decode};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, OffscreenCanvas};

use super::drawings::Drawings;
use super::outbox;

/// A request, and the canvas if one was sent with it.
pub type Letter = (Request, Option<OffscreenCanvas>);

/// The queue of received requests.
#[derive(Clone, Debug, Default)]
pub struct Inbox(Rc<RefCell<Content>>);

#[derive(Debug, Default)]
struct Content {
    letters: VecDeque<Letter>,
    waiting: Option<Waker>,
}

impl Inbox {
    /// Receives requests from now on, for the life of the worker.
    pub fn install(drawings: Drawings) -> Self {
        let inbox = Self::default();
        let receiver = inbox.clone();
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            receiver.receive(&event.data(), &drawings);
        });
        outbox::scope().set_onmessage(Some(listener.as_ref().unchecked_ref()));
        listener.forget();
        inbox
    }

    fn receive(&self, message: &JsValue, drawings: &Drawings) {
        let field = |name: &str| Reflect::get(message, &name.into()).unwrap_or_default();
        match decode(&Uint8Array::new(&field(BYTES)).to_vec()) {
            Ok(Request::Scene { agent, scene }) => drawings.set_scene(agent, scene),
            Ok(request) => {
                let mut content = self.0.borrow_mut();
                content.letters.push_back((request, field(CANVAS).dyn_into().ok()));
                if let Some(waker) = content.waiting.take() {
                    waker.wake();
                }
            }
            Err(error) => outbox::post(Report::Fault { text: error.to_string() }),
        }
    }

    /// Takes the next request, if there is one.
    pub fn take(&self) -> Option<Letter> {
        self.0.borrow_mut().letters.pop_front()
    }

    /// Whether a request is waiting.
    pub fn has_letters(&self) -> bool {
        !self.0.borrow().letters.is_empty()
    }

    /// Waits until a request has arrived.
    pub async fn wait(&self) {
        poll_fn(|context| {
            let mut content = self.0.borrow_mut();
            if content.letters.is_empty() {
                content.waiting = Some(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}
