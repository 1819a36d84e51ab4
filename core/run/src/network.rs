//! Sizes of the networks: their layers, derived from the frames and the number of actions.

use deepspi_worlds::frame::FrameShape;
use serde::{Deserialize, Serialize};

/// One convolution of the encoder (square kernel, no padding).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvSpec {
    /// Output channels.
    pub outputs: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Step between patches.
    pub stride: usize,
}

/// Sizes of all networks of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// Shape of an observation.
    pub frame: FrameShape,
    /// Size A of the action set.
    pub actions: usize,
    /// Layers of the encoder phi.
    pub encoder: Vec<ConvSpec>,
    /// Width of the dense trunk shared by actor and critic.
    pub hidden: usize,
    /// Width of the two hidden layers of the Lipschitz reward network.
    pub reward_hidden: usize,
    /// Groups of the second transition convolution; must divide the latent channels.
    pub transition_groups: usize,
}

impl NetworkSpec {
    /// The paper's networks (docs/deepspi.md, section 3.2), for 84x84 frames.
    #[must_use]
    pub fn atari(frame: FrameShape, actions: usize) -> Self {
        let conv = |outputs, kernel, stride| ConvSpec { outputs, kernel, stride };
        Self {
            frame,
            actions,
            encoder: vec![conv(32, 8, 4), conv(64, 4, 2), conv(64, 3, 1)],
            hidden: 512,
            reward_hidden: 256,
            transition_groups: 16,
        }
    }

    /// Small networks for games, for machines without a GPU: a third of the multiplications of the
    /// paper's policy. The encoder and the width of the trunk are those of the first deep Q-network
    /// (Mnih et al. 2013, arXiv 1312.5602, section 4.1), which learned Breakout.
    #[must_use]
    pub fn small_atari(frame: FrameShape, actions: usize) -> Self {
        let conv = |outputs, kernel, stride| ConvSpec { outputs, kernel, stride };
        Self {
            frame,
            actions,
            encoder: vec![conv(16, 8, 4), conv(32, 4, 2)],
            hidden: 256,
            reward_hidden: 128,
            transition_groups: 8,
        }
    }

    /// Small networks for the cartridge with the maze. Its squares are 16 pixels wide and more, so
    /// latents of 5x5 cells are enough; the ball of a game is lost in them (docs/results.md).
    #[must_use]
    pub fn small_cartridge(frame: FrameShape, actions: usize) -> Self {
        let conv = |outputs, kernel, stride| ConvSpec { outputs, kernel, stride };
        Self {
            frame,
            actions,
            encoder: vec![conv(16, 8, 4), conv(16, 4, 4)],
            hidden: 128,
            reward_hidden: 64,
            transition_groups: 4,
        }
    }

    /// Shape `[H, W, C]` of the latent z.
    #[must_use]
    pub fn latent(&self) -> [usize; 3] {
        let start = [self.frame.height, self.frame.width, self.frame.channels];
        self.encoder.iter().fold(start, |[h, w, _], conv| {
            let out = |len: usize| (len - conv.kernel) / conv.stride + 1;
            [out(h), out(w), conv.outputs]
        })
    }

    /// Number of latent dimensions.
    #[must_use]
    pub fn latent_len(&self) -> usize {
        self.latent().iter().product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atari_latent_is_7x7x64() {
        let spec = NetworkSpec::atari(FrameShape { channels: 4, height: 84, width: 84 }, 4);
        assert_eq!(spec.latent(), [7, 7, 64]);
        assert_eq!(spec.latent_len(), 3136);
    }
}
