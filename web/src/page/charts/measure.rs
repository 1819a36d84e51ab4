//! The width of an element, which pictures need so that one unit is one pixel and texts keep their
//! size.

use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::ResizeObserver;

/// The width until the element is on the page.
const FIRST_GUESS: f64 = 480.0;

/// The width of an element in whole pixels, as a signal.
pub fn width_of(element: NodeRef<Div>) -> Signal<f64> {
    let width = RwSignal::new(FIRST_GUESS);
    let watching = StoredValue::new_local(None::<(ResizeObserver, Closure<dyn FnMut()>)>);
    Effect::new(move || {
        let Some(element) = element.get() else { return };
        let measured = element.clone();
        let measure = move || {
            let now = f64::from(measured.client_width());
            // The width is 0 while the element is hidden, and the signal is gone if the user has
            // left the room.
            if now > 0.0 && width.try_get_untracked().is_some_and(|width| width != now) {
                width.set(now);
            }
        };
        measure();
        let changed = Closure::<dyn FnMut()>::new(measure);
        // Without an observer the width stays at the first guess.
        if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&element);
            watching.set_value(Some((observer, changed)));
        }
    });
    on_cleanup(move || {
        if let Some(Some((observer, _))) = watching.try_update_value(Option::take) {
            observer.disconnect();
        }
    });
    width.into()
}
