//! Quantities that say whether an update stayed where the theory holds.

use deepspi_worlds::env::Outcome;
use serde::{Deserialize, Serialize};

/// `D_IR^sup` and `D_IR^inf` between two policies over a batch of states (Eq. 2), and the premise of
/// Theorem 2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RatioBounds {
    /// Largest `pi'(a|s) / pi(a|s)` over states and all actions; at least 1.
    pub sup: f32,
    /// Smallest such ratio; at most 1.
    pub inf: f32,
    /// `1 / gamma`: Theorem 2 needs `sup` below it.
    pub limit: f32,
    /// Whether `sup < 1 / gamma`.
    pub premise_holds: bool,
}

impl RatioBounds {
    /// From log-probabilities of the behaviour policy and of the new one, both `[B, A]`.
    #[must_use]
    pub fn from_log_probs(behaviour: &[f32], updated: &[f32], gamma: f32) -> Self {
        let differences = || behaviour.iter().zip(updated).map(|(old, new)| new - old);
        // `min` and `max` pass over what is not a number; it must not pass for a small step.
        let (low, high) = if differences().any(f32::is_nan) {
            (f32::NAN, f32::NAN)
        } else {
            let start = (f32::INFINITY, f32::NEG_INFINITY);
            differences().fold(start, |(low, high), x| (low.min(x), high.max(x)))
        };
        let (sup, inf, limit) = (high.exp(), low.exp(), 1.0 / gamma);
        Self { sup, inf, limit, premise_holds: sup < limit }
    }
}

impl RatioBounds {
    /// Whether both lie within `[1 - radius, 1 + radius]`: in `N^C` with `C = 1 + radius`.
    #[must_use]
    pub fn within(&self, radius: f32) -> bool {
        self.sup <= 1.0 + radius && self.inf >= 1.0 - radius
    }
}

/// A finished game.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Index of the environment.
    pub env: usize,
    /// Agent steps of the run when it ended.
    pub global_step: u64,
    /// Sum of the game's own rewards over all lives.
    pub raw_return: f64,
    /// Agent steps of the game.
    pub length: u64,
}

/// Raw returns of the games of N environments, as the authors count them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpisodeTracker {
    running: Vec<(f64, u64)>,
    last: Vec<Option<(f64, u64)>>,
    episodes: u64,
}

impl EpisodeTracker {
    /// No game finished yet.
    #[must_use]
    pub fn new(num_envs: usize) -> Self {
        Self { running: vec![(0.0, 0); num_envs], last: vec![None; num_envs], episodes: 0 }
    }

    /// Adds one step of all environments; returns the games that ended.
    pub fn step(&mut self, outcomes: &[Outcome], global_step: u64) -> Vec<Episode> {
        let mut ended = Vec::new();
        for (env, outcome) in outcomes.iter().enumerate() {
            let (raw_return, length) = &mut self.running[env];
            *raw_return += f64::from(outcome.raw_reward);
            *length += 1;
            if outcome.game_over {
                let (raw_return, length) = std::mem::take(&mut self.running[env]);
                self.last[env] = Some((raw_return, length));
                self.episodes += 1;
                ended.push(Episode { env, global_step, raw_return, length });
            }
        }
        ended
    }

    /// Forgets games in progress, whose environments start anew.
    pub fn abandon_running(&mut self) {
        self.running.fill((0.0, 0));
    }

    /// Games finished so far.
    #[must_use]
    pub const fn episodes(&self) -> u64 {
        self.episodes
    }

    /// Mean `(return, length)` over all environments, zeros where no game finished.
    #[must_use]
    pub fn mean_with_zeros(&self) -> (f64, f64) {
        let count = self.last.len() as f64;
        let (returns, lengths) = self.totals();
        (returns / count, lengths / count)
    }

    /// Mean return over environments that finished a game.
    #[must_use]
    pub fn mean_finished(&self) -> Option<f64> {
        let finished = self.last.iter().flatten().count();
        (finished > 0).then(|| self.totals().0 / finished as f64)
    }

    fn totals(&self) -> (f64, f64) {
        self.last
            .iter()
            .flatten()
            .fold((0.0, 0.0), |(returns, lengths), (r, l)| (returns + r, lengths + *l as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_over_all_actions() {
        let old: Vec<f32> = [0.5_f32, 0.5, 0.25, 0.75].iter().map(|p| p.ln()).collect();
        let new: Vec<f32> = [0.6_f32, 0.4, 0.25, 0.75].iter().map(|p| p.ln()).collect();
        let bounds = RatioBounds::from_log_probs(&old, &new, 0.8);
        assert!((bounds.sup - 1.2).abs() < 1e-5 && (bounds.inf - 0.8).abs() < 1e-5, "{bounds:?}");
        assert!(
            bounds.premise_holds && !RatioBounds::from_log_probs(&old, &new, 0.9).premise_holds
        );
    }

    #[test]
    fn a_policy_that_is_not_a_number_is_not_near() {
        let bounds = RatioBounds::from_log_probs(&[-0.7, -0.7], &[f32::NAN, -0.7], 0.8);
        assert!(!bounds.within(0.5) && !bounds.premise_holds, "{bounds:?}");
    }

    #[test]
    fn returns_run_across_lives_and_end_with_the_game() {
        let mut tracker = EpisodeTracker::new(2);
        let step =
            |raw_reward, done, game_over| Outcome { reward: 0.0, raw_reward, done, game_over };
        let idle = step(0.0, false, false);
        assert!(
            tracker.step(&[step(3.0, true, false), idle], 2).is_empty(),
            "a lost life is no end"
        );
        let ended = tracker.step(&[step(4.0, true, true), idle], 4);
        assert_eq!(ended, [Episode { env: 0, global_step: 4, raw_return: 7.0, length: 2 }]);
        assert_eq!(tracker.mean_with_zeros(), (3.5, 1.0));
        assert_eq!(tracker.mean_finished(), Some(7.0));
    }
}
