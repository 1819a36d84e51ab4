//! Starts the trainer in its web worker; everything else is in the library.

#[cfg(target_arch = "wasm32")]
fn main() {
    web::trainer::start();
}

// As in `main.rs`.
#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!(
        "This is the browser trainer of DeepSPI {}: `./run web` builds and serves it.",
        web::VERSION
    );
}
