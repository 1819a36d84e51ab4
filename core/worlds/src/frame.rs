//! The size of an observation.

use serde::{Deserialize, Serialize};

/// Size of one observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FrameShape {
    /// Stacked frames C (4 on Atari).
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl FrameShape {
    /// Bytes of one observation, `C * H * W`.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether an observation has no pixels.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
