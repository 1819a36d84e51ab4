//! The browser playground: a page that shows what `deepspi_core` computes, and a worker that
//! computes it.
//!
//! Nothing numeric belongs here. There are two programs: the page (`main.rs`, `page`), small and
//! there at once, and the trainer (`worker.rs`, `trainer`), with networks and GPU, in a web worker
//! with an instance of its own, so that training never makes the page wait. They share what does not
//! know a browser - [`experiment`], [`protocol`], [`run`] and their neighbours - which is tested natively.
//! Whatever touches the browser is in modules that exist for wasm32 only (see this crate's
//! `Cargo.toml` for the reason); `tools/wasm-build clippy --profile web -p web` checks them.

pub mod archive;
pub mod cells;
pub mod experiment;
pub mod export;
pub mod form;
pub mod history;
pub mod link;
pub mod neighbourhood;
#[cfg(target_arch = "wasm32")]
pub mod page;
pub mod plot;
pub mod presets;
pub mod protocol;
pub mod room;
pub mod run;
pub mod scene;
pub mod simplex;
pub mod terms;
#[cfg(target_arch = "wasm32")]
pub mod trainer;
pub mod walk;

/// Version of the workspace, shown at the foot of the page.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Revision of the source, where the build says it; `unknown` else.
pub const REVISION: &str = match option_env!("DEEPSPI_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
