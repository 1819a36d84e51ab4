//! The trainer of the playground, which runs in a web worker.
//!
//! A program of its own: it has the networks, the optimiser and the GPU, and 13 MB, which the page must
//! not wait for. It calls [`deepspi_core`] as the native program does; nothing numeric belongs here. What
//! it and the page agree on is in [`deepspi_playground`].
//!
//! The module `worker` needs a browser, so it exists for wasm32 only (`tools/wasm-build clippy --profile
//! web -p web-trainer` checks it). [`painter`] needs only a GPU, and is tested natively
//! (`tests/tests/shaders.rs`).

pub mod painter;
#[cfg(target_arch = "wasm32")]
pub mod worker;
