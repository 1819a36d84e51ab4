//! Atari 2600 games as rules: which games there are, and what an agent sees and does in them.
//!
//! Nothing here emulates: [`Console`] is what the rules need of an emulator, and whoever has one (the command
//! line with its C++ library, a worker of the browser with the same library as WebAssembly) plays by the same
//! rules, bit for bit. [`games`] is the table of games, [`AtariOptions`] the choices of a training,
//! [`AtariEnv`] one environment with EnvPool's semantics, [`preprocess`] the way from console frames to
//! observations, [`seeds`] what decides chance.
//!
//! Shapes are written with F stacked frames, H = W = 84.

mod console;
mod env;
mod error;
pub mod games;
mod options;
pub mod preprocess;
pub mod seeds;
mod training;

pub use console::{
    Console, ConsoleError, FRAME_HEIGHT, FRAME_PIXELS, FRAME_WIDTH, Palette, RAM_BYTES,
};
pub use env::{AtariEnv, StepOutcome};
pub use error::AtariError;
pub use games::{GAMES, Game, UnknownGame};
pub use options::{AtariOptions, OBS_PIXELS, OBS_SIDE};
pub use training::{AtariOverrides, AtariTraining, EmulatorSeeds};
