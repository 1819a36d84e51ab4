//! Copies text to the clipboard if the browser allows it; else shows a box from which the user can
//! copy it.

use leptos::html::Textarea;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

/// A button that copies the text that `text` returns when it is pressed.
#[component]
pub fn CopyButton(
    /// Label of the button.
    label: &'static str,
    /// Returns the text to copy.
    text: Callback<(), String>,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let fallback = RwSignal::new(None::<String>);
    let copy = move |_| {
        let text = text.run(());
        fallback.set(None);
        spawn_local(async move {
            let done = write(&text).await;
            copied.set(done);
            fallback.set((!done).then_some(text));
        });
    };
    let field = NodeRef::<Textarea>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            drop(field.focus());
            field.select();
        }
    });
    view! {
        <span class="copy">
            <button type="button" on:click=copy>
                {label}
            </button>
            <span class="muted" role="status">
                {move || if copied.get() { "Copied." } else { "" }}
            </span>
            {move || {
                fallback
                    .get()
                    .map(|text| {
                        view! {
                            <label class="by-hand">
                                "The browser does not let this page use the clipboard. Copy the text yourself:"
                                <textarea readonly rows="3" node_ref=field prop:value=text></textarea>
                            </label>
                        }
                    })
            }}
        </span>
    }
}

/// Writes to the clipboard. Returns false on failure, and on pages without HTTPS, which have no
/// clipboard.
async fn write(text: &str) -> bool {
    let navigator = window().navigator();
    let has_clipboard = js_sys::Reflect::get(&navigator, &"clipboard".into())
        .is_ok_and(|clipboard| !clipboard.is_undefined());
    has_clipboard && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}
