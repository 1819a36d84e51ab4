//! Reports on their way to the page.

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::DedicatedWorkerGlobalScope;

use crate::protocol::{BYTES, Report, encode};

/// The worker's own global object.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Sends a report; its bytes are handed over, not copied.
pub fn post(report: &Report) {
    let Ok(bytes) = encode(report) else { return };
    let message = Object::new();
    let bytes = Uint8Array::from(bytes.as_slice());
    let transfer = Array::of1(&bytes.buffer());
    if Reflect::set(&message, &BYTES.into(), &bytes).is_ok() {
        // Nobody is left to tell if the page is gone.
        drop(scope().post_message_with_transfer(&message, &transfer));
    }
}
