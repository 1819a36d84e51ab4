//! The page of the browser playground: it shows what the trainer computes.
//!
//! Nothing that learns belongs here, and no network: the page must be there at once, so it links neither burn
//! nor a GPU (`./check deny` looks). The trainer is another program (`web/trainer`), in a web worker with an
//! instance of its own, so that training never makes the page wait. What both share is in
//! [`deepspi_playground`].
//!
//! What does not know a browser - [`form`], [`link`], [`plot`], [`run`] and their neighbours - is tested
//! natively. Whatever touches the browser is in `page`, which exists for wasm32 only (see this crate's
//! `Cargo.toml` for the reason); `tools/wasm-build clippy --profile web -p web` checks it.

pub mod cells;
pub mod export;
pub mod form;
pub mod history;
pub mod latents_svg;
pub mod link;
pub mod neighbourhood;
#[cfg(target_arch = "wasm32")]
pub mod page;
pub mod plot;
pub mod presets;
pub mod room;
pub mod run;
pub mod simplex;
pub mod terms;
pub mod walk;
