//! The page of the browser playground.
//!
//! For now it says what the project is and that the playground is not there yet. The crate exists
//! this early so that the browser build is checked from the first day: a dependency of the core that
//! does not build for `wasm32-unknown-unknown` is cheap to refuse now and dear to remove later.
//!
//! Nothing numeric belongs here: the page shows what `deepspi_core` computes. Whatever touches the
//! page is in modules that exist for wasm32 only (see this crate's `Cargo.toml` for the reason);
//! `tools/wasm-build clippy -p web` checks them.

#[cfg(target_arch = "wasm32")]
pub mod page;

/// Version of the workspace, shown at the foot of the page.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
