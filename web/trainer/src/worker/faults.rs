//! What must not pass in silence: panics, rejected promises, and errors that only a log would see.
//!
//! A shader that a browser refuses is only logged, and its dispatches are skipped: the numbers read
//! afterwards look plausible (tracel-ai/cubecl#1641). So an error in the log of the GPU's libraries
//! marks the device as unusable ([`device_error`]), and the session stops using it.

use std::cell::{Cell, RefCell};

use deepspi_playground::protocol::Report;
use wasm_bindgen::prelude::*;
use web_sys::PromiseRejectionEvent;

use super::outbox;

thread_local! {
    /// One panic often becomes a flood (gfx-rs/wgpu#8186); the first says what happened.
    static REPORTED: Cell<bool> = const { Cell::new(false) };
    static DEVICE_ERROR: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Listens to all of them.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        fault(&format!("The trainer failed: {info}"));
    }));
    let listener =
        Closure::<dyn FnMut(PromiseRejectionEvent)>::new(|event: PromiseRejectionEvent| {
            fault(&format!("The trainer failed: {:?}", event.reason()));
        });
    // A rejection that goes unheard is only a line in the console.
    drop(
        outbox::scope().add_event_listener_with_callback(
            "unhandledrejection",
            listener.as_ref().unchecked_ref(),
        ),
    );
    listener.forget();
    if log::set_logger(&Bridge).is_ok() {
        log::set_max_level(log::LevelFilter::Warn);
    }
}

/// The first error of the device since the last look.
pub fn device_error() -> Option<String> {
    DEVICE_ERROR.with(|error| error.borrow_mut().take())
}

fn fault(text: &str) {
    if !REPORTED.with(|reported| reported.replace(true)) {
        outbox::post(Report::Fault { text: text.to_owned() });
    }
}

struct Bridge;

impl log::Log for Bridge {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = format!("{}: {}", record.target(), record.args());
        if record.level() == log::Level::Error {
            web_sys::console::warn_1(&text.as_str().into());
            DEVICE_ERROR.with(|error| _ = error.borrow_mut().get_or_insert(text));
        } else {
            web_sys::console::info_1(&text.into());
        }
    }

    fn flush(&self) {}
}
