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

impl ConvSpec {
    const fn new(outputs: usize, kernel: usize, stride: usize) -> Self {
        Self { outputs, kernel, stride }
    }
}

/// Largest sizes that a file may ask for; the paper's networks have at most a sixteenth of each.
const MAX_CHANNELS: usize = 1024;
const MAX_SIDE: usize = 4096;
const MAX_LAYERS: usize = 64;
const MAX_WIDTH: usize = 8192;
const MAX_PARAMETERS: usize = 1 << 26;

/// Why networks of these sizes cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// A size is out of range.
    #[error("{what}: {value}; allowed: 1 to {largest}")]
    Size {
        /// Which size.
        what: &'static str,
        /// Its value.
        value: usize,
        /// The largest that is allowed.
        largest: usize,
    },
    /// The channels cannot be divided into equal groups.
    #[error("{channels} latent channels cannot be divided into {groups} equal groups")]
    Groups {
        /// Groups of the transition network.
        groups: usize,
        /// Channels of the latent.
        channels: usize,
    },
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
        Self {
            frame,
            actions,
            encoder: vec![
                ConvSpec::new(32, 8, 4),
                ConvSpec::new(64, 4, 2),
                ConvSpec::new(64, 3, 1),
            ],
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
        Self {
            frame,
            actions,
            encoder: vec![ConvSpec::new(16, 8, 4), ConvSpec::new(32, 4, 2)],
            hidden: 256,
            reward_hidden: 128,
            transition_groups: 8,
        }
    }

    /// Small networks for the cartridge with the maze. Its agent is 16 pixels wide, so a latent of
    /// 5x5 cells is enough.
    #[must_use]
    pub fn small_cartridge(frame: FrameShape, actions: usize) -> Self {
        Self {
            frame,
            actions,
            encoder: vec![ConvSpec::new(16, 8, 4), ConvSpec::new(16, 4, 4)],
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

    /// Checks sizes that were read from a file. Networks that cannot be built would end the program,
    /// and a browser has little memory.
    ///
    /// # Errors
    /// The first size that cannot be right.
    pub fn check(&self) -> Result<(), SpecError> {
        let Self { frame, actions, ref encoder, hidden, reward_hidden, transition_groups } = *self;
        let range = |what: &'static str, value: usize, largest: usize| match value {
            0 => Err(SpecError::Size { what, value, largest }),
            _ if value > largest => Err(SpecError::Size { what, value, largest }),
            _ => Ok(()),
        };
        range("channels of a frame", frame.channels, MAX_CHANNELS)?;
        range("rows of a frame", frame.height, MAX_SIDE)?;
        range("columns of a frame", frame.width, MAX_SIDE)?;
        range("actions", actions, MAX_CHANNELS)?;
        range("layers of the encoder", encoder.len(), MAX_LAYERS)?;
        let mut sides = [frame.height, frame.width];
        for conv in encoder {
            range("channels of a layer", conv.outputs, MAX_CHANNELS)?;
            range("the stride of a layer", conv.stride, MAX_SIDE)?;
            range("the kernel of a layer", conv.kernel, sides[0].min(sides[1]))?;
            sides = sides.map(|side| (side - conv.kernel) / conv.stride + 1);
        }
        let [_, _, channels] = self.latent();
        range("width of the trunk", hidden, MAX_WIDTH)?;
        range("width of the reward network", reward_hidden, MAX_WIDTH)?;
        range("groups of the transition network", transition_groups, channels)?;
        if !channels.is_multiple_of(transition_groups) {
            return Err(SpecError::Groups { groups: transition_groups, channels });
        }
        range("parameters", self.latent_len() * hidden.max(reward_hidden), MAX_PARAMETERS)
    }

    /// What goes in and out of the networks, in words: actions, and frames of an observation.
    #[must_use]
    pub fn interface(&self) -> String {
        interface(self.frame, self.actions)
    }

    /// Number of latent dimensions.
    #[must_use]
    pub fn latent_len(&self) -> usize {
        self.latent().iter().product()
    }
}

/// What goes in and out of an agent's networks, in words.
#[must_use]
pub fn interface(frame: FrameShape, actions: usize) -> String {
    let FrameShape { channels, height, width } = frame;
    format!("{actions} actions and {channels} frames of {height}x{width}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: FrameShape = FrameShape { channels: 4, height: 84, width: 84 };

    #[test]
    fn own_networks_pass_and_those_that_cannot_be_built_are_refused() {
        let specs = [NetworkSpec::atari, NetworkSpec::small_atari, NetworkSpec::small_cartridge];
        for spec in specs {
            assert_eq!(spec(FRAME, 18).check(), Ok(()));
        }
        type Change = fn(&mut NetworkSpec);
        let wrong: [(Change, &str); 7] = [
            (|spec| spec.frame.height = 7, "the kernel of a layer: 8; allowed: 1 to 7"),
            (|spec| spec.encoder[1].stride = 0, "the stride of a layer: 0"),
            (|spec| spec.encoder[0].outputs = usize::MAX, "channels of a layer"),
            (|spec| spec.encoder.clear(), "layers of the encoder: 0"),
            (|spec| spec.hidden = 0, "width of the trunk: 0"),
            (|spec| spec.transition_groups = 5, "64 latent channels cannot be divided into 5"),
            (|spec| (spec.encoder[0].stride, spec.hidden) = (1, 8192), "parameters: "),
        ];
        for (change, text) in wrong {
            let mut spec = NetworkSpec::atari(FRAME, 4);
            change(&mut spec);
            let error = spec.check().expect_err("refused").to_string();
            assert!(error.starts_with(text), "{error}");
        }
    }

    #[test]
    fn atari_latent_is_7x7x64() {
        let spec = NetworkSpec::atari(FRAME, 4);
        assert_eq!(spec.latent(), [7, 7, 64]);
        assert_eq!(spec.latent_len(), 3136);
    }
}
