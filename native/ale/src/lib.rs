//! Atari games natively: the emulator ALE as a console of `deepspi-worlds`, the ROMs, and a thread
//! pool that plays many games at once.
//!
//! ```no_run
//! use deepspi_ale::{AtariEnvs, RomFinder};
//! use deepspi_worlds::atari::{AtariOptions, Game};
//! use deepspi_worlds::env::{VectorEnv, reset, step};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rom = RomFinder::from_environment(None).find(Game::find("Breakout")?)?;
//! let mut envs = AtariEnvs::new(&rom, AtariOptions::stochastic(), 8, 1, 2)?;
//! pollster::block_on(reset(&mut envs))?;
//! assert_eq!(envs.observations().len(), 8 * 4 * 84 * 84);
//! pollster::block_on(step(&mut envs, &[0; 8]))?;
//! println!("{:?}", envs.outcomes());
//! # Ok(())
//! # }
//! ```
//!
//! The rules (list of games, no-ops, episodes, rewards, pixels) are in [`deepspi_worlds::atari`],
//! which knows no emulator. This crate contains [`rom`] (sources of the cartridges), [`emulator`]
//! (one console) and [`envs`] (many environments on threads). It knows nothing of training.
//!
//! The emulator is the Arcade Learning Environment inside `ale-sys`, under GPL-2: a binary that
//! links this crate is a GPL-2 work, whatever the licence of the rest. ROMs are never part of it,
//! except the project's own cartridge.
//!
//! Shapes are written with N environments, F stacked frames, H = W = 84.

pub mod emulator;
pub mod envs;
#[expect(unsafe_code, reason = "the boundary to C++; every block states why it is sound")]
mod ffi;
pub mod rom;
mod search;

pub use emulator::{Emulator, EmulatorError};
pub use envs::{AtariEnvs, StartError, environment, environment_again};
pub use rom::{Rom, RomError, RomFinder};
