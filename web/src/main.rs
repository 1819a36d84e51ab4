//! Entry point of the page; everything else is in the library, where tests can reach it.

#[cfg(target_arch = "wasm32")]
fn main() {
    web::page::mount();
}

// The crate is a member of the workspace, so it is also built natively, where no page exists.
#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!(
        "This is the browser page of DeepSPI {}: `./run web` builds and serves it.",
        deepspi_playground::VERSION
    );
}
