//! Parameters of the maze, and the two sizes in which it is trained.

use deepspi_options::{ConfigError, choices, fields};

use crate::frame::FrameShape;

choices! {
    /// What the environment returns at the end of an episode.
    MazeReset = Terminal {
        /// The terminal frame; the next step returns the start.
        "terminal" Terminal,
        /// The authors' code: the frame of the *new* episode, already with `done` (docs/deepspi.md,
        /// D9).
        "parity" Parity,
    }

    /// Size of frames and networks.
    MazePreset = Small {
        /// 28x28 frames, a small encoder and world model: a run takes well under a minute on one
        /// core.
        "small" Small,
        /// 84x84 frames and the networks of the paper.
        "paper" Paper,
    }
}

impl MazePreset {
    /// Frames of one channel, as the agent sees them.
    #[must_use]
    pub const fn frame(self) -> FrameShape {
        let side = match self {
            Self::Small => 28,
            Self::Paper => 84,
        };
        FrameShape { channels: 1, height: side, width: side }
    }
}

fields! {
    /// Which maze, and how it is shown. The default is the maze of the paper, in the small size.
    #[derive(Copy)]
    pub struct MazeConfig, overrides MazeOverrides {
        /// Length n of the corridors, at least 2; the star is their n-th cell.
        ["Maze"] #[cfg_attr(feature = "cli", arg(value_name = "N"))]
        n_path: usize = 5;
        /// Probability of the lower corridor, in (0, 1).
        ["Maze"] #[cfg_attr(feature = "cli", arg(value_name = "P"))]
        epsilon: f64 = 0.2;
        /// How well the corridors can be told apart, from 0 (not at all) to 1 (the maze of the
        /// paper): a frame is blended with its mirror image, with weights 1/2 + cue/2 and 1/2 -
        /// cue/2.
        ["Maze"] #[cfg_attr(feature = "cli", arg(value_name = "X"))]
        cue: f64 = 1.0;
        /// What an episode's last step returns: the terminal frame, or what the authors' code
        /// returns.
        ["Maze"] #[cfg_attr(feature = "cli", arg(value_enum))]
        maze_reset: MazeReset = MazeReset::Terminal;
        /// Size of frames and networks. The defaults of total-timesteps, num-envs, num-minibatches
        /// and learning-rate depend on it: `--env maze --print-config` shows them.
        ["Maze"] #[cfg_attr(feature = "cli", arg(value_enum))]
        preset: MazePreset = MazePreset::Small;
    }
}

impl MazeConfig {
    /// Checks every field against its range.
    ///
    /// # Errors
    /// The first field out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |field, value: String, allowed| Err(ConfigError { field, value, allowed });
        if self.n_path < 2 {
            return refuse("n_path", self.n_path.to_string(), "at least 2");
        }
        if self.n_path + 3 > self.preset.frame().width {
            let allowed = match self.preset {
                MazePreset::Small => "at most 25 with `preset = small`: a cell needs a pixel",
                MazePreset::Paper => "at most 81: a cell needs a pixel",
            };
            return refuse("n_path", self.n_path.to_string(), allowed);
        }
        if !(self.epsilon > 0.0 && self.epsilon < 1.0) {
            return refuse("epsilon", self.epsilon.to_string(), "0 < epsilon < 1");
        }
        if !(0.0..=1.0).contains(&self.cue) {
            return refuse("cue", self.cue.to_string(), "0 to 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_field_value_and_range() {
        let error = |config: MazeConfig| config.validate().expect_err("out of range").to_string();
        let valid = MazeConfig::DEFAULT;
        valid.validate().expect("the default is valid");
        assert_eq!(
            error(MazeConfig { n_path: 1, ..valid }),
            "config field `n_path` is 1; allowed: at least 2"
        );
        assert!(error(MazeConfig { n_path: 26, ..valid }).contains("at most 25"));
        for epsilon in [0.0, 1.0, f64::NAN] {
            assert!(error(MazeConfig { epsilon, ..valid }).contains("`epsilon`"));
        }
        assert!(error(MazeConfig { cue: 1.5, ..valid }).contains("`cue` is 1.5"));
    }
}
