//! Offers files as downloads.

use deepspi_playground::archive::Archive;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsCast;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

/// Lets the browser save `bytes` under `name`; does nothing if the browser does not allow it.
pub fn offer(name: &str, media_type: &str, bytes: &[u8]) {
    let properties = BlobPropertyBag::new();
    properties.set_type(media_type);
    let parts = Array::of1(&Uint8Array::from(bytes));
    if let Ok(blob) = Blob::new_with_u8_array_sequence_and_options(&parts, &properties) {
        offer_blob(name, &blob);
    }
}

/// Like [`offer`], for a zip file.
pub fn offer_archive(archive: &Archive) {
    offer(&format!("{}.zip", archive.name), "application/zip", &archive.bytes);
}

/// Like [`offer`], for a blob.
pub fn offer_blob(name: &str, blob: &Blob) {
    let Ok(address) = Url::create_object_url_with_blob(blob) else { return };
    let link = leptos::prelude::document().create_element("a").ok();
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok()) {
        link.set_href(&address);
        link.set_download(name);
        link.click();
    }
    // The download already holds a reference to the blob.
    drop(Url::revoke_object_url(&address));
}
