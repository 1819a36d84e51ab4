//! The cartridges that the server on this machine offers.
//!
//! `./run web` serves the ROMs of the user's cache, only to this machine, and says so in the page
//! with a `meta` element whose content is the address of the folder. Without the element nothing is
//! asked for, because an address that is not there would be an error in the browser's console.

use deepspi_worlds::atari::{Game, roms};
use js_sys::Uint8Array;
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::rom_file::Cartridge;

/// Finds the element. The server writes it (`web/site/src/serve.rs`).
const SELECTOR: &str = "meta[name=\"deepspi-roms\"]";
/// File in the folder: a JSON list of the stems of all ROMs in it.
const INDEX: &str = "index.json";

/// Address of the folder, with a slash at its end; none if the server offers no ROMs.
#[must_use]
pub fn folder() -> Option<String> {
    document().query_selector(SELECTOR).ok().flatten()?.get_attribute("content")
}

/// The stems of the ROMs in the folder.
///
/// # Errors
/// Why it cannot be read.
pub async fn list(folder: &str) -> Result<Vec<String>, String> {
    let bytes = fetch(&format!("{folder}{INDEX}")).await?;
    serde_json::from_slice(&bytes).map_err(|error| format!("its list is not understood: {error}"))
}

/// Loads a game's cartridge.
///
/// # Errors
/// Why it cannot be loaded, or that it is another dump.
pub async fn load(folder: &str, game: &'static Game) -> Result<Cartridge, String> {
    let bytes = fetch(&format!("{folder}{}", game.file_name())).await?;
    roms::check(game, &bytes).map_err(|error| error.to_string())?;
    Ok(Cartridge { game, bytes: bytes.into() })
}

async fn fetch(address: &str) -> Result<Vec<u8>, String> {
    let read = async {
        let response = JsFuture::from(window().fetch_with_str(address)).await?;
        let response: Response = response.unchecked_into();
        if !response.ok() {
            return Ok(Err(format!("{address} answers with status {}", response.status())));
        }
        let buffer = JsFuture::from(response.array_buffer()?).await?;
        Ok(Ok(Uint8Array::new(&buffer).to_vec()))
    };
    let result: Result<_, JsValue> = read.await;
    result.unwrap_or_else(|_| Err(format!("{address} does not answer")))
}
