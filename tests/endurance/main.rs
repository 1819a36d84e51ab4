//! What a program must survive that trains for days: kills, disks that fail, damaged files.
//!
//! The tests of every day run a short form; `./check endurance` runs all of it (docs/reliability.md).

#![expect(clippy::panic, reason = "a panic is how a test fails, in its helpers as well")]

#[path = "../../native/tests/common/mod.rs"]
mod common;

mod campaign;
mod kills;
mod mutation;
mod mutations;
mod soak;
mod writes;
