//! The room of the Atari games.

pub mod cartridges;
pub mod kept;
pub mod machine;
pub mod roms;
