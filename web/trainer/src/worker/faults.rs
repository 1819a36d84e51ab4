//! Errors that must not be silent: panics, rejected promises, and errors that are only logged.
//!
//! If a browser refuses a shader, the error is only logged and the shader's dispatches are skipped;
//! the numbers read afterwards look plausible (tracel-ai/cubecl#1641). So an error in the log of
//! the GPU libraries marks the device as unusable ([`device_error`]), and the session stops using
//! it.

use std::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;
use web_sys::PromiseRejectionEvent;

use super::outbox;

thread_local! {
    /// One panic often causes many more (gfx-rs/wgpu#8186); only the first one is reported.
    static REPORTED: Cell<bool> = const { Cell::new(false) };
    /// Sends a fault to the page.
    static REPORT: Cell<fn(String)> = const { Cell::new(|_| ()) };
    static DEVICE_ERROR: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the panic hook, the listener for rejected promises and the logger. `report` tells the
/// page that this worker cannot go on.
pub fn install(report: fn(String)) {
    REPORT.set(report);
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        fault(&format!("The worker failed: {info}"));
    }));
    let listener =
        Closure::<dyn FnMut(PromiseRejectionEvent)>::new(|event: PromiseRejectionEvent| {
            fault(&format!("The worker failed: {:?}", event.reason()));
        });
    // If the listener cannot be added, a rejection is still shown in the console.
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

/// Takes the first error of the device since the last call.
pub fn device_error() -> Option<String> {
    DEVICE_ERROR.with(|error| error.borrow_mut().take())
}

fn fault(text: &str) {
    if !REPORTED.with(|reported| reported.replace(true)) {
        REPORT.get()(text.to_owned());
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
