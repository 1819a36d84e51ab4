//! N mazes as a vectorised environment.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::config::MazeReset;
use super::rules::{ACTIONS, Action, Maze};
use crate::env::{EnvError, Outcome, Pending, VectorEnv, ready};
use crate::frame::FrameShape;
use crate::rng::{Stream, stream};
use crate::snapshot::{Reader, SnapshotError, Writer};

/// Steps after which an episode is truncated. It is reported as the end of the episode, without
/// bootstrapping, as in the authors' code.
pub const LIMIT: u32 = 200;

/// Kind and version of stored mazes.
const STORED: &str = "maze 1";

/// N independent copies of one maze, with one seeded generator.
#[derive(Clone, Debug)]
pub struct MazeEnvs {
    maze: Maze,
    /// Frame of every state.
    frames: Vec<Vec<u8>>,
    rng: ChaCha8Rng,
    /// State shown by each environment.
    states: Vec<u32>,
    /// Steps of each running episode.
    steps: Vec<u32>,
    observations: Vec<u8>,
    outcomes: Vec<Outcome>,
}

impl MazeEnvs {
    /// `num_envs` mazes at their start.
    #[must_use]
    pub fn new(maze: Maze, num_envs: usize, seed: u64) -> Self {
        let frames = (0..maze.states()).map(|state| maze.frame(state)).collect();
        let len = maze.config().preset.frame().len();
        let mut envs = Self {
            maze,
            frames,
            rng: stream(seed, Stream::Environment),
            states: vec![0; num_envs],
            steps: vec![0; num_envs],
            observations: vec![0; num_envs * len],
            outcomes: vec![Outcome::default(); num_envs],
        };
        for env in 0..num_envs {
            envs.restart(env);
        }
        envs
    }

    /// The maze.
    #[must_use]
    pub const fn maze(&self) -> &Maze {
        &self.maze
    }

    /// State each environment shows.
    #[must_use]
    pub fn states(&self) -> &[u32] {
        &self.states
    }

    /// Starts new episodes everywhere, at once.
    pub fn reset(&mut self) {
        for env in 0..self.outcomes.len() {
            self.restart(env);
            self.outcomes[env] = Outcome::default();
        }
    }

    /// Takes one action per environment, each below [`ACTIONS`], at once.
    pub fn step(&mut self, actions: &[u32]) {
        let kept = self.maze.config().maze_reset == MazeReset::Terminal;
        for (env, &action) in actions.iter().enumerate() {
            self.outcomes[env] = if kept && self.outcomes[env].done {
                // The step after the end only shows the new start.
                self.restart(env);
                Outcome::default()
            } else {
                self.advance(env, Action::ALL[action as usize])
            };
        }
    }

    fn store(&self) -> Vec<u8> {
        let mut writer = Writer::new(STORED);
        writer.u32(self.maze.states() as u32);
        writer.u32(self.outcomes.len() as u32);
        for (env, outcome) in self.outcomes.iter().enumerate() {
            let Outcome { reward, raw_reward, done, game_over, reported_end: _ } = *outcome;
            writer.u32(self.states[env]);
            writer.u32(self.steps[env]);
            writer.u32(reward.to_bits());
            writer.u32(raw_reward.to_bits());
            writer.u8(u8::from(done));
            writer.u8(u8::from(game_over));
        }
        writer.rng(&self.rng);
        writer.finish()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let mut reader = Reader::new(bytes, STORED)?;
        let (states, num_envs) = (reader.u32()? as usize, reader.u32()? as usize);
        if (states, num_envs) != (self.maze.states(), self.outcomes.len()) {
            return Err(SnapshotError::Misfit(format!(
                "they are {num_envs} mazes of {states} states, not {} of {}",
                self.outcomes.len(),
                self.maze.states()
            )));
        }
        for env in 0..num_envs {
            let state = reader.u32()? as usize;
            if state >= states {
                return Err(SnapshotError::Misfit(format!("a maze has no state {state}")));
            }
            self.show(env, state);
            self.steps[env] = reader.u32()?;
            if self.steps[env] > LIMIT {
                let found = self.steps[env];
                return Err(SnapshotError::Misfit(format!(
                    "an episode has {found} steps, of at most {LIMIT}"
                )));
            }
            let (reward, raw_reward) = (reader.u32()?, reader.u32()?);
            let (done, game_over) = (reader.u8()? != 0, reader.u8()? != 0);
            self.outcomes[env] = Outcome {
                reward: f32::from_bits(reward),
                raw_reward: f32::from_bits(raw_reward),
                done,
                game_over,
                reported_end: game_over,
            };
        }
        self.rng = reader.rng()?;
        reader.finish()
    }

    fn restart(&mut self, env: usize) {
        self.steps[env] = 0;
        self.show(env, self.maze.start());
    }

    fn show(&mut self, env: usize, state: usize) {
        let frame = &self.frames[state];
        self.states[env] = u32::try_from(state).unwrap_or(u32::MAX);
        self.observations[env * frame.len()..][..frame.len()].copy_from_slice(frame);
    }

    fn advance(&mut self, env: usize, action: Action) -> Outcome {
        let state = self.states[env] as usize;
        let reward = self.maze.reward(state, action) as f32;
        let outcomes = self.maze.outcomes(state, action);
        let draw: f64 = self.rng.random();
        let mut below = 0.0;
        let next = outcomes.iter().find(|(p, _)| {
            below += p;
            draw < below
        });
        // Rounding may leave the sum a little below 1: then it is the last one.
        let next = next.or(outcomes.last()).map_or(state, |&(_, next)| next);
        self.steps[env] += 1;
        let done = self.maze.tile(next).is_terminal() || self.steps[env] >= LIMIT;
        self.show(env, next);
        if done && self.maze.config().maze_reset == MazeReset::Parity {
            self.restart(env);
        }
        Outcome { reward, raw_reward: reward, done, game_over: done, reported_end: done }
    }
}

impl VectorEnv for MazeEnvs {
    fn num_envs(&self) -> usize {
        self.outcomes.len()
    }

    fn frame(&self) -> FrameShape {
        self.maze.config().preset.frame()
    }

    fn actions(&self) -> usize {
        ACTIONS
    }

    fn send_reset(&mut self) -> Result<(), EnvError> {
        self.reset();
        Ok(())
    }

    fn send(&mut self, actions: &[u32]) -> Result<(), EnvError> {
        self.step(actions);
        Ok(())
    }

    fn receive(&mut self) -> Pending<'_> {
        ready()
    }

    fn observations(&self) -> &[u8] {
        &self.observations
    }

    fn observation_ids(&self) -> Option<&[u32]> {
        Some(&self.states)
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    fn snapshot(&mut self) -> Pending<'_, Option<Vec<u8>>> {
        let stored = self.store();
        Box::pin(std::future::ready(Ok(Some(stored))))
    }

    fn restore<'a>(&'a mut self, snapshot: &'a [u8]) -> Pending<'a> {
        let loaded = self.load(snapshot).map_err(EnvError::new);
        Box::pin(std::future::ready(loaded))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MazeConfig, Tile};
    use super::*;

    const RIGHT: u32 = Action::Right as u32;

    fn envs(config: MazeConfig, num_envs: usize) -> MazeEnvs {
        MazeEnvs::new(Maze::new(config, 0.99).expect("valid"), num_envs, 1)
    }

    #[test]
    fn an_unobstructed_episode_lasts_n_plus_2_steps_and_keeps_its_last_frame() {
        let mut envs = envs(MazeConfig::DEFAULT, 1);
        let mut rewards = 0.0;
        for step in 1..=7 {
            envs.step(&[RIGHT]);
            rewards += envs.outcomes()[0].reward;
            assert_eq!(envs.outcomes()[0].done, step == 7);
        }
        assert!((rewards - 5.0).abs() < 1e-6);
        let last = envs.states()[0] as usize;
        assert_eq!(envs.maze().tile(last), Tile::Exit);
        assert_eq!(envs.observations(), envs.maze().frame(last));
        envs.step(&[RIGHT]);
        assert_eq!(envs.outcomes()[0], Outcome::default(), "the fake step");
        assert_eq!(envs.states()[0] as usize, envs.maze().start());
    }

    #[test]
    fn with_parity_the_last_step_shows_the_new_start_and_the_next_one_counts() {
        let config = MazeConfig { maze_reset: MazeReset::Parity, ..MazeConfig::DEFAULT };
        let mut envs = envs(config, 1);
        for _ in 0..7 {
            envs.step(&[RIGHT]);
        }
        assert!(envs.outcomes()[0].done);
        assert_eq!(envs.states()[0] as usize, envs.maze().start());
        envs.step(&[RIGHT]);
        assert_eq!(envs.maze().tile(envs.states()[0] as usize), Tile::Hazard);
    }

    #[test]
    fn an_episode_is_cut_off_at_200_steps() {
        let mut envs = envs(MazeConfig::DEFAULT, 1);
        for step in 1..=200 {
            envs.step(&[Action::Left as u32]);
            assert_eq!(envs.outcomes()[0].done, step == 200);
        }
    }

    #[test]
    fn stored_mazes_go_on_as_the_others() {
        for maze_reset in [MazeReset::Terminal, MazeReset::Parity] {
            let config = MazeConfig { maze_reset, ..MazeConfig::DEFAULT };
            let mut original = envs(config, 7);
            let actions = |step: u32| -> Vec<u32> {
                (0..7)
                    .map(|env| if (step * 7 + env * 3).is_multiple_of(5) { 0 } else { RIGHT })
                    .collect()
            };
            let mut ends = 0;
            for step in 0..60 {
                original.step(&actions(step));
                // Stored in the middle of episodes, at their ends and after the fake step.
                let bytes = original.store();
                assert!(bytes.len() < 500);
                let mut restored = MazeEnvs::new(original.maze().clone(), 7, 99);
                restored.load(&bytes).expect("fits");
                let mut reference = original.clone();
                for later in step + 1..step + 301 {
                    assert_eq!(restored.observations(), reference.observations());
                    assert_eq!(restored.outcomes(), reference.outcomes());
                    restored.step(&actions(later));
                    reference.step(&actions(later));
                }
                ends += original.outcomes().iter().filter(|outcome| outcome.done).count();
            }
            assert!(ends > 20, "no episode ended, nothing was tested");
        }
        let bytes = envs(MazeConfig::DEFAULT, 7).store();
        let error = envs(MazeConfig::DEFAULT, 6).load(&bytes).expect_err("another number");
        assert!(error.to_string().contains("7 mazes of 16 states, not 6"), "{error}");
        let larger = MazeConfig { n_path: 6, ..MazeConfig::DEFAULT };
        assert!(envs(larger, 7).load(&bytes).is_err());
        assert!(envs(MazeConfig::DEFAULT, 7).load(&bytes[..40]).is_err());
    }

    #[test]
    fn the_lower_corridor_has_probability_epsilon() {
        let mut envs = envs(MazeConfig::DEFAULT, 20_000);
        for _ in 0..2 {
            envs.step(&vec![RIGHT; 20_000]);
        }
        let lower = envs.states().iter().filter(|&&s| envs.maze().cell(s as usize).0 == 3).count();
        assert!((lower as f64 / 20_000.0 - 0.2).abs() < 0.012, "{lower}");
    }
}
