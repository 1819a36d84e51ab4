//! Clock, timers and the event loop of the worker.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::MessageChannel;

use super::outbox::scope;

/// Milliseconds since the worker started.
pub fn now_ms() -> f64 {
    scope().performance().map_or_else(js_sys::Date::now, |clock| clock.now())
}

/// Seconds since 1970.
pub fn unix_seconds() -> u64 {
    (js_sys::Date::now() / 1000.0) as u64
}

/// Yields to the browser so that it can deliver messages. The function waits for a message to
/// itself, because a timer would take 4 ms each time.
pub async fn breathe() {
    let Ok(channel) = MessageChannel::new() else { return };
    let promise = Promise::new(&mut |resolve, _| channel.port1().set_onmessage(Some(&resolve)));
    if channel.port2().post_message(&JsValue::NULL).is_ok() {
        drop(JsFuture::from(promise).await);
    }
    channel.port1().close();
}

/// Waits for this time.
pub async fn sleep(milliseconds: f64) {
    let promise = Promise::new(&mut |resolve, _| {
        let timer = scope().set_timeout_with_callback_and_timeout_and_arguments_0(
            &resolve,
            milliseconds.ceil() as i32,
        );
        if timer.is_err() {
            drop(resolve.call0(&JsValue::NULL));
        }
    });
    drop(JsFuture::from(promise).await);
}

/// The result of `work`, or none if `other` finishes first.
pub async fn unless<T>(
    work: impl Future<Output = T>,
    other: impl Future<Output = ()>,
) -> Option<T> {
    let (mut work, mut other) = (pin!(work), pin!(other));
    poll_fn(|context| {
        if let Poll::Ready(result) = work.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        other.as_mut().poll(context).map(|()| None)
    })
    .await
}
