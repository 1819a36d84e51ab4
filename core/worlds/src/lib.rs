//! Environments as rules: what an agent sees and what its actions do, without emulator, files or
//! networks.
//!
//! [`mod@env`] is the contract between the trainer and N environments that advance together,
//! [`maze`] the maze of the paper, [`cartridge`] the same maze as a cartridge, [`atari`] the rules of Atari games on an emulated console that a
//! front end supplies, and [`snapshot`] the byte format of stored environments. [`rng`] holds the
//! random streams of a run, [`parallel`] the only use of threads; both are here because
//! environments and training must agree on them. This crate must not depend on burn, on C++ or on a
//! file system: the browser uses it unchanged.
//!
//! Letters used in all shapes: `N` environments, `C H W` channels, rows and columns of a frame.

pub mod atari;
pub mod cartridge;
pub mod env;
pub mod frame;
pub mod maze;
pub mod numbered;
pub mod parallel;
pub mod rng;
pub mod snapshot;
pub mod still;
