//! Environments as rules: what an agent may see and do, without an emulator, a file or a network.
//!
//! [`mod@env`] is the contract between the trainer and N environments that advance together, [`maze`] the
//! maze of the paper, [`atari`] the rules of Atari games over a console that somebody else emulates. [`rng`]
//! holds the random streams of a run and [`parallel`] the only use of threads; both are here because
//! environments and training must agree on them. Nothing in this crate may depend on burn, on C++ or on a disk:
//! the browser uses it as it is.
//!
//! [`snapshot`] is how environments are stored.
//!
//! Letters used in all shapes: `N` environments, `C H W` channels, rows and columns of a frame.

pub mod atari;
pub mod env;
pub mod frame;
pub mod maze;
pub mod parallel;
pub mod rng;
pub mod snapshot;
