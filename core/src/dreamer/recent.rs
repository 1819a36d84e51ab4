//! The last steps of a game that goes on, for a look from where the agent stood some steps ago.

use super::RealSteps;

/// The last steps of one game, never across its end.
#[derive(Clone, Debug, Default)]
pub struct RecentSteps {
    limit: usize,
    /// `[C, H, W]` before the first step and after every step; empty before the first game.
    observations: Vec<Vec<u8>>,
    actions: Vec<u32>,
    rewards: Vec<f32>,
    /// Whether the game ended with the last step.
    ended: bool,
}

impl RecentSteps {
    /// None yet; at most `limit` are kept, the last ones.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// A new game begins with this observation.
    pub fn restart(&mut self, observation: &[u8]) {
        *self = Self::new(self.limit);
        self.observations.push(observation.to_vec());
    }

    /// Adds a step: its action, its reward as the agent learns from it, whether it ended the game, and the
    /// observation after it. A step after an end only returns the next start.
    pub fn push(&mut self, action: u32, reward: f32, done: bool, observation: &[u8]) {
        if self.ended || self.observations.is_empty() {
            return self.restart(observation);
        }
        self.observations.push(observation.to_vec());
        self.actions.push(action);
        self.rewards.push(reward);
        self.ended = done;
        if self.actions.len() > self.limit {
            self.observations.remove(0);
            self.actions.remove(0);
            self.rewards.remove(0);
        }
    }

    /// The last `horizon` steps, or as many as there are; none if there is none.
    #[must_use]
    pub fn last(&self, horizon: usize) -> Option<RealSteps<'_>> {
        let skipped = self.actions.len().saturating_sub(horizon);
        (skipped < self.actions.len()).then(|| RealSteps {
            observations: self.observations[skipped..].iter().map(Vec::as_slice).collect(),
            actions: &self.actions[skipped..],
            rewards: &self.rewards[skipped..],
            ended: self.ended,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_steps_of_one_game_are_kept() {
        let mut recent = RecentSteps::new(3);
        assert!(recent.last(3).is_none());
        recent.restart(&[0]);
        assert!(recent.last(3).is_none(), "no step was played");
        for step in 1..=5_u8 {
            recent.push(step.into(), f32::from(step), step == 5, &[step]);
        }
        let last = recent.last(2).expect("steps");
        assert_eq!((last.actions, last.rewards, last.ended), (&[4, 5][..], &[4.0, 5.0][..], true));
        assert_eq!(last.observations, [[3], [4], [5]]);
        assert_eq!(recent.last(9).expect("steps").actions, [3, 4, 5]);
        assert!(recent.last(0).is_none());
        // The step after the end returns the next start.
        recent.push(0, 0.0, false, &[6]);
        assert!(recent.last(3).is_none());
        recent.push(7, 0.5, false, &[8]);
        let last = recent.last(3).expect("a step");
        assert_eq!((last.observations, last.ended), (vec![&[6][..], &[8][..]], false));
    }
}
