//! Whether things may move: the user's system can ask for reduced motion, at any time.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::MediaQueryList;

const QUERY: &str = "(prefers-reduced-motion: reduce)";

fn query() -> Option<MediaQueryList> {
    window().match_media(QUERY).ok().flatten()
}

/// Whether the user wants less motion now.
pub fn is_calm() -> bool {
    query().is_some_and(|query| query.matches())
}

/// Whether the user wants less motion, as a signal.
pub fn calm() -> Signal<bool> {
    let calm = RwSignal::new(is_calm());
    let Some(query) = query() else { return calm.into() };
    let changed = Closure::<dyn FnMut()>::new(move || {
        // The signal is gone if the component is.
        let _refused = calm.try_set(is_calm());
    });
    let listener = changed.as_ref().unchecked_ref::<js_sys::Function>().clone();
    // Without the listener the first answer stays.
    drop(query.add_event_listener_with_callback("change", &listener));
    let kept = StoredValue::new_local((query, listener, changed));
    on_cleanup(move || {
        kept.try_with_value(|(query, listener, _)| {
            drop(query.remove_event_listener_with_callback("change", listener));
        });
    });
    calm.into()
}
