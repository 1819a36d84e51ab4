//! Games in emulator workers, as the trainer and the players need them.
//!
//! [`EmulatorPort`] is the connection to one worker; [`EmulatorEnvs`] are the environments of a run,
//! spread over several workers. The trainer must not link the emulator: it only sends messages
//! (`deepspi_playground::emulator`), because the emulator has another licence.

mod envs;
mod port;

pub use self::envs::EmulatorEnvs;
pub use self::port::{EmulatorPort, unexpected};
