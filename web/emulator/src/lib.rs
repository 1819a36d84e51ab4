//! The emulator worker of the playground: plays Atari games for the page and for the trainer.
//!
//! It is a program of its own for two reasons. ALE is under the GPL; in a worker that is spoken to
//! by messages it stays a program beside the trainer, parts of which have another licence. And
//! several workers emulate several times as fast, without shared memory.
//!
//! Two WebAssembly modules work together here: this one has the rules of Atari, the same code as
//! natively ([`deepspi_worlds::atari`]), and `ale.wasm` has the emulator, the same C++ as natively.
//! `ale.js` carries single frames between them. [`client`] serves the requests of
//! [`deepspi_playground::emulator`], and [`film`] keeps the screens for whoever shows the game.
//! Both need no browser and are tested natively, with the native emulator.
//!
//! The module `worker` is compiled for wasm32 only.

pub mod client;
pub mod film;
#[cfg(target_arch = "wasm32")]
pub mod worker;
