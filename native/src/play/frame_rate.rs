//! The frame rate of a film, the same for all formats.

/// Pictures per second: an agent step covers four of the console's 60 frames.
pub(super) const RATE: u32 = 15;
