//! Entry point of the trainer in its web worker; everything else is in the library.

// This is not `main`, because `main` would run before `trainer.js` has called the constructors.
/// Starts the trainer; called once, by `trainer.js`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn start_trainer() {
    web_trainer::worker::start();
}

/// Starts a player, the other role of this program; called once, by `trainer.js`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn start_player() {
    web_trainer::worker::player::start();
}

#[cfg(target_arch = "wasm32")]
fn main() {}

// The crate is a member of the workspace, so it is also built natively, where no browser exists.
#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!(
        "This is the browser trainer of DeepSPI {}: `./run web` builds and serves it.",
        deepspi_playground::VERSION
    );
}
