//! The rules of Atari 2600 games: which games there are, what an agent sees, and what its actions
//! do.
//!
//! Nothing here emulates. [`Console`] is the interface to an emulator: the command line implements
//! it with its C++ library, a web worker can implement it with the same library as WebAssembly, and
//! both get the same rules, bit for bit. [`games`] is the table of games, [`AtariOptions`] the
//! settings of an environment, [`AtariEnv`] one environment with EnvPool's semantics,
//! [`preprocess`] the conversion of console frames to observations, [`seeds`] the seeds of the
//! emulator and of the no-ops, [`roms`] the recognition of cartridges by their checksum, [`set`] what
//! all sets of environments do alike.
//!
//! [`action_name`] names the actions in words.
//!
//! Shapes are written with F stacked frames and H = W = 84.

mod action_names;
mod console;
mod env;
mod error;
pub mod games;
mod options;
pub mod preprocess;
mod rewards;
pub mod roms;
pub mod seeds;
pub mod set;
mod training;

pub use action_names::{ActionName, action_name};
pub use console::{
    Console, ConsoleError, FRAME_HEIGHT, FRAME_PIXELS, FRAME_WIDTH, Palette, RAM_BYTES,
};
pub use env::{AtariEnv, StepOutcome};
pub use error::AtariError;
pub use games::{GAMES, Game, UnknownGame};
pub use options::{AtariOptions, OBS_PIXELS, OBS_SIDE};
pub use rewards::Rewards;
pub use training::{AtariNetwork, AtariOverrides, AtariTraining, EmulatorSeeds};
