//! Starts the trainer in its web worker; everything else is in the library.

// Not `main`, which runs before `trainer.js` has everything in place. Not in the library either: an
// exported function there would bring the networks into the page.
/// Starts the trainer; called once, by `trainer.js`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn start_trainer() {
    web::trainer::start();
}

#[cfg(target_arch = "wasm32")]
fn main() {}

// As in `main.rs`.
#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!(
        "This is the browser trainer of DeepSPI {}: `./run web` builds and serves it.",
        web::VERSION
    );
}
