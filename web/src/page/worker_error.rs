//! Why a web worker has stopped.

use js_sys::Reflect;
use wasm_bindgen::JsValue;
use web_sys::ErrorEvent;

/// The reason, for a sentence. A worker whose script cannot be loaded gets a plain event without a
/// message, whatever the type of its handler says.
pub fn reason(event: &ErrorEvent) -> String {
    let message = Reflect::get(event, &JsValue::from_str("message")).ok();
    message.and_then(|message| message.as_string()).filter(|text| !text.is_empty()).unwrap_or_else(
        || {
            "a part of the page could not be loaded. The network may have failed, or the site has a \
             new version: save your agents, then reload the page"
                .to_owned()
        },
    )
}
