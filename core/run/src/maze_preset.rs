//! Networks and default hyper-parameters of the two sizes of the maze.

use deepspi_worlds::maze::{ACTIONS, MazePreset};

use crate::config::Config;
use crate::network::{ConvSpec, NetworkSpec};

/// The networks and default hyper-parameters of a preset.
pub trait TrainingPreset {
    /// Sizes of the networks.
    fn network(self) -> NetworkSpec;
    /// Default hyper-parameters of a run.
    fn hyper_parameters(self) -> Config;
}

impl TrainingPreset for MazePreset {
    /// Sizes of the networks.
    fn network(self) -> NetworkSpec {
        let conv = |outputs, kernel, stride| ConvSpec { outputs, kernel, stride };
        match self {
            Self::Paper => NetworkSpec::atari(self.frame(), ACTIONS),
            Self::Small => NetworkSpec {
                frame: self.frame(),
                actions: ACTIONS,
                encoder: vec![conv(16, 4, 4), conv(8, 3, 2)],
                hidden: 64,
                reward_hidden: 64,
                transition_groups: 4,
            },
        }
    }

    /// Default hyper-parameters of a run: the paper's, but with a length that suits this maze
    /// instead of an Atari game. The small preset also has half the environments with the same
    /// minibatch size, and a larger learning rate, chosen so that PPO solves the maze of the paper
    /// in seconds.
    fn hyper_parameters(self) -> Config {
        match self {
            Self::Paper => Config { total_timesteps: 256 * 1024, ..Config::DEFAULT },
            Self::Small => Config {
                total_timesteps: 128 * 512,
                num_envs: 64,
                num_minibatches: 2,
                learning_rate: 2e-3,
                ..Config::DEFAULT
            },
        }
    }
}
