//! How the maze is trained where nothing else is said: networks and hyper-parameters of its two sizes.

use deepspi_worlds::maze::{ACTIONS, MazePreset};

use crate::config::Config;
use crate::network::{ConvSpec, NetworkSpec};

/// What a training of the maze needs to know of its size.
pub trait TrainingPreset {
    /// Sizes of the networks.
    fn network(self) -> NetworkSpec;
    /// Hyper-parameters of a run where nothing else is said.
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

    /// Hyper-parameters a run has when nothing else is said: the paper's, as long as this maze takes
    /// and not as an Atari game. The small preset also takes half the environments at the same size
    /// of minibatch and a larger learning rate, chosen so that PPO solves the maze of the paper in
    /// seconds.
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
