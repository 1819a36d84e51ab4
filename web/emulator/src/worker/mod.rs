//! The worker: clients at the ends of their ports, ALE behind `ale.js`.
//!
//! A request is served when it arrives, to its end, so answers come in the order of the requests. A
//! client that closes or disappears takes only its own environments with it.

mod ale;
mod faults;
mod outbox;
mod ports;

pub use ale::Ale;
pub use faults::install as start;
pub use ports::connect;
