//! How fast a film is, whatever its format.

/// Pictures of a second: a step has four of the console's 60 frames.
pub(super) const RATE: u32 = 15;
