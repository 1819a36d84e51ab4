//! Starts the trainer in its web worker; everything else is in the library.

// Not `main`, which runs before `trainer.js` has everything in place.
/// Starts the trainer; called once, by `trainer.js`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn start_trainer() {
    web_trainer::worker::start();
}

#[cfg(target_arch = "wasm32")]
fn main() {}

// The crate is a member of the workspace, so it is also built for the machine it is developed on,
// where there is no browser to train in.
#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!(
        "This is the browser trainer of DeepSPI {}: `./run web` builds and serves it.",
        deepspi_playground::VERSION
    );
}
