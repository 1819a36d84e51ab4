//! Knowing how large an element is.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Element, ResizeObserver};

/// Listens to the size of an element until it is dropped.
#[derive(Debug)]
pub struct Resize {
    observer: ResizeObserver,
    _listener: Closure<dyn FnMut(Array)>,
}

impl Resize {
    /// Calls `changed` with width and height in CSS pixels, now and after every change; none if the
    /// browser cannot.
    pub fn of(element: &Element, mut changed: impl FnMut([f32; 2]) + 'static) -> Option<Self> {
        let observed = element.clone();
        let listener = Closure::<dyn FnMut(Array)>::new(move |_| {
            changed([observed.client_width() as f32, observed.client_height() as f32]);
        });
        let observer = ResizeObserver::new(listener.as_ref().unchecked_ref()).ok()?;
        observer.observe(element);
        Some(Self { observer, _listener: listener })
    }
}

impl Drop for Resize {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}
