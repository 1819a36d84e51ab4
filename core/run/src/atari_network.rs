//! The networks of the two sizes for 84x84 frames.

use deepspi_worlds::atari::AtariNetwork;
use deepspi_worlds::frame::FrameShape;
use deepspi_worlds::maze::MazePreset;

use crate::network::NetworkSpec;

/// A size of networks that play on the emulator.
pub trait FrameNetwork {
    /// The networks for these frames, 84x84 each, and this number of actions.
    fn for_frames(self, frame: FrameShape, actions: usize) -> NetworkSpec;
}

impl FrameNetwork for AtariNetwork {
    fn for_frames(self, frame: FrameShape, actions: usize) -> NetworkSpec {
        match self {
            Self::Paper => NetworkSpec::atari(frame, actions),
            Self::Small => NetworkSpec::small_atari(frame, actions),
        }
    }
}

/// The cartridge with the maze has the preset of the maze, but the frames of the emulator.
impl FrameNetwork for MazePreset {
    fn for_frames(self, frame: FrameShape, actions: usize) -> NetworkSpec {
        match self {
            Self::Paper => NetworkSpec::atari(frame, actions),
            Self::Small => NetworkSpec::small_cartridge(frame, actions),
        }
    }
}
