//! Networks and default hyper-parameters of the two sizes of the maze.

use deepspi_worlds::maze::{ACTIONS, MazePreset};

use crate::config::{Config, DreamConfig, Progressive};
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
    /// in seconds. `DreamSPI`'s rates are larger, too, and its imagined steps get their weight late: with
    /// the authors' settings it finds the maze's safe policy only (docs/dream-spi.md).
    fn hyper_parameters(self) -> Config {
        match self {
            Self::Paper => Config { total_timesteps: 256 * 1024, ..Config::DEFAULT },
            Self::Small => Config {
                total_timesteps: 128 * 512,
                num_envs: 64,
                num_minibatches: 2,
                learning_rate: 2e-3,
                dream: DreamConfig {
                    encoder_learning_rate: 1e-3,
                    world_model_learning_rate: 1e-3,
                    actor_learning_rate: 1e-3,
                    critic_learning_rate: 1e-3,
                    progressive: Progressive::Exponential,
                    env_steps_per_wm_update: 256,
                    replay_sequences: 16,
                    replay_start: 2_500,
                    ..DreamConfig::DEFAULT
                },
                ..Config::DEFAULT
            },
        }
    }
}
