//! The page of the browser playground. It shows what the trainer computes.
//!
//! Training and networks do not belong here: the page must load quickly, so it links neither burn
//! nor a GPU library (`./check deny` tests this). The trainer is a separate program (`web/trainer`)
//! in a web worker, so the page never waits for training. What both share is in
//! [`deepspi_playground`].
//!
//! Modules that need no browser ([`form`], [`link`], [`plot`], [`run`] and others) are tested
//! natively. All code that uses the browser is in `page`, which is compiled for wasm32 only (this
//! crate's `Cargo.toml` gives the reason); `tools/wasm-build clippy --profile web -p web` checks
//! it.

pub mod cells;
pub mod dreamt;
pub mod dropped;
pub mod export;
pub mod form;
pub mod history;
pub mod joystick;
pub mod latents_svg;
pub mod link;
pub mod neighbourhood;
pub mod offers;
pub mod opening;
#[cfg(target_arch = "wasm32")]
pub mod page;
pub mod plot;
pub mod presets;
pub mod recording;
pub mod reel;
pub mod rom_file;
pub mod room;
pub mod run;
pub mod screens;
pub mod shelf;
pub mod simplex;
pub mod terms;
pub mod tour;
pub mod walk;
