//! The trainer of the playground, which runs in a web worker.
//!
//! It is a program of its own, because it contains the networks, the optimiser and the GPU backend:
//! 13 MB, for which the page must not wait. It calls [`deepspi_core`] as the native program does;
//! numerical code does not belong here. What it shares with the page is in [`deepspi_playground`].
//!
//! The module `worker` needs a browser, so it is compiled for wasm32 only (`tools/wasm-build clippy
//! --profile web -p web-trainer` checks it). [`painter`] needs a GPU but no browser, and is tested
//! natively (`tests/tests/shaders.rs`).

pub mod painter;
#[cfg(target_arch = "wasm32")]
pub mod worker;
