//! Entry points of the emulator worker, which `emulator.js` calls; everything else is in the
//! library.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;
#[cfg(target_arch = "wasm32")]
use web_emulator::worker;

/// Must be called once, before the first client is connected.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
pub fn start() {
    worker::start();
}

// Both by value: for two references wasm-bindgen would write an instruction (`table.fill`) that
// wasm-opt 116 cannot read.
/// Serves a client from now on. `ale` is what `ale.js` has loaded.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
pub fn connect(port: web_sys::MessagePort, ale: worker::Ale) {
    worker::connect(port, ale);
}

#[cfg(target_arch = "wasm32")]
fn main() {}

// The crate is a member of the workspace, so it is also built natively, where no browser exists.
#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!(
        "This is the browser emulator of DeepSPI {}: `./run web` builds and serves it.",
        deepspi_playground::VERSION
    );
}
