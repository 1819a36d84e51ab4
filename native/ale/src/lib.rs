//! Safe, seeded Atari 2600 environments with EnvPool's semantics, many at once over a thread pool.
//!
//! ```no_run
//! use deepspi_atari::{EnvOptions, Game, RomFinder, VecEnv};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let game = Game::find("Breakout")?;
//! let rom = RomFinder::from_environment(None).find(game)?;
//! let mut envs = VecEnv::new(game, &rom, EnvOptions::stochastic(), 8, 1, 2)?;
//! let first = envs.reset()?;
//! assert_eq!(first.observations.len(), 8 * 4 * 84 * 84);
//! let next = envs.step(&[0; 8])?;
//! println!("{:?} {:?}", next.rewards, next.dones);
//! # Ok(())
//! # }
//! ```
//!
//! Layers, each in its module: [`games`] (which games exist), [`rom`] (where their ROMs come from),
//! [`emulator`] (one console, frame by frame), [`preprocess`] (pixels), [`env`](mod@env) (one
//! environment), [`vec_env`] (many).
//!
//! The emulator is the GPL-2 Arcade Learning Environment inside `ale-sys`: a binary that links this
//! crate is a GPL-2 work, whatever the licence of the rest. ROMs are never part of it; [`rom`] says
//! where they come from.
//!
//! Shapes are written with B environments, F stacked frames, H = W = 84.

pub mod emulator;
pub mod env;
#[expect(unsafe_code, reason = "the boundary to C++; every block carries its reason")]
mod ffi;
pub mod games;
pub mod preprocess;
pub mod rom;
pub mod vec_env;

pub use emulator::{Emulator, EmulatorError};
pub use env::{AtariEnv, EnvError, EnvOptions, StepOutcome};
pub use games::{Game, UnknownGame};
pub use rom::{Rom, RomError, RomFinder};
pub use vec_env::{StepView, VecEnv};
