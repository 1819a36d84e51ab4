//! Quantities that show whether an update satisfies the premises of the theory, and the returns of
//! games.

use deepspi_worlds::env::Outcome;
use serde::{Deserialize, Serialize};

/// `D_IR^sup` and `D_IR^inf` between two policies over a batch of states (Eq. 2), and the premise
/// of Theorem 2.
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
    /// The bounds from log-probabilities of the behaviour policy and of the new one, both `[B, A]`.
    #[must_use]
    pub fn from_log_probs(behaviour: &[f32], updated: &[f32], gamma: f32) -> Self {
        let differences = || behaviour.iter().zip(updated).map(|(old, new)| new - old);
        // `min` and `max` ignore NaN, but NaN must not look like a small step.
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
    /// Whether all ratios are within `[1 - radius, 1 + radius]`: in `N^C` with `C = 1 + radius`.
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
    /// Agent steps of the run when the game ended.
    pub global_step: u64,
    /// Sum of the game's own rewards over all lives.
    pub raw_return: f64,
    /// Agent steps of the game.
    pub length: u64,
}

/// Raw returns of the games of N environments, counted in two ways: by game, and as the authors do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpisodeTracker {
    /// `(return, length)` of the running games.
    running: Vec<(f64, u64)>,
    /// `(return, length)` of the last finished games.
    last: Vec<Option<(f64, u64)>>,
    episodes: u64,
    /// The same by the ends that EnvPool reports ([`Outcome::reported_end`]), from the first step on: before, the two
    /// counts are equal. Checkpoints from before games were counted by their real ends lack it: their only count is this
    /// one.
    #[serde(default)]
    reported: Option<Reported>,
}

/// Games as the authors count them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Reported {
    running: Vec<(f64, u64)>,
    last: Vec<Option<(f64, u64)>>,
}

impl EpisodeTracker {
    /// A tracker for environments in which no game has finished.
    #[must_use]
    pub fn new(num_envs: usize) -> Self {
        let (running, last) = (vec![(0.0, 0); num_envs], vec![None; num_envs]);
        Self { running, last, episodes: 0, reported: None }
    }

    /// Whether this is the tracker of so many environments. A damaged checkpoint may hold another one.
    #[must_use]
    pub fn fits(&self, num_envs: usize) -> bool {
        let are_all = |running: usize, last: usize| (running, last) == (num_envs, num_envs);
        let reported = self.reported.as_ref();
        are_all(self.running.len(), self.last.len())
            && reported.is_none_or(|counted| are_all(counted.running.len(), counted.last.len()))
    }

    /// Adds one step of all environments; returns the games that finished.
    pub fn step(&mut self, outcomes: &[Outcome], global_step: u64) -> Vec<Episode> {
        let (running, last) = (&self.running, &self.last);
        let reported = self
            .reported
            .get_or_insert_with(|| Reported { running: running.clone(), last: last.clone() });
        let mut ended = Vec::new();
        for (env, outcome) in outcomes.iter().enumerate() {
            let raw_reward = f64::from(outcome.raw_reward);
            let finished = |running: &mut (f64, u64), over: bool| {
                running.0 += raw_reward;
                running.1 = running.1.saturating_add(1);
                over.then(|| std::mem::take(running))
            };
            if let game @ Some(_) = finished(&mut reported.running[env], outcome.reported_end) {
                reported.last[env] = game;
            }
            if let Some(game) = finished(&mut self.running[env], outcome.game_over) {
                self.last[env] = Some(game);
                self.episodes = self.episodes.saturating_add(1);
                let (raw_return, length) = game;
                ended.push(Episode { env, global_step, raw_return, length });
            }
        }
        ended
    }

    /// Forgets the games in progress; call it if the environments were reset.
    pub fn abandon_running(&mut self) {
        self.running.fill((0.0, 0));
        if let Some(reported) = &mut self.reported {
            reported.running.fill((0.0, 0));
        }
    }

    /// Games finished so far.
    #[must_use]
    pub const fn episodes(&self) -> u64 {
        self.episodes
    }

    /// Mean `(return, length)` over all environments, as the authors log it: by the ends that EnvPool reports, and
    /// environments without a finished game count as 0.
    #[must_use]
    pub fn mean_with_zeros(&self) -> (f64, f64) {
        let last = self.reported.as_ref().map_or(&self.last, |reported| &reported.last);
        let count = last.len() as f64;
        let (returns, lengths) = totals(last);
        (returns / count, lengths / count)
    }

    /// Mean return of the last game of each environment, over environments that have finished a game.
    #[must_use]
    pub fn mean_finished(&self) -> Option<f64> {
        let finished = self.last.iter().flatten().count();
        (finished > 0).then(|| totals(&self.last).0 / finished as f64)
    }
}

fn totals(last: &[Option<(f64, u64)>]) -> (f64, f64) {
    let finished = last.iter().flatten();
    finished.fold((0.0, 0.0), |(returns, lengths), (r, l)| (returns + r, lengths + *l as f64))
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
        let step = |raw_reward, done, game_over| Outcome {
            raw_reward,
            done,
            game_over,
            reported_end: game_over,
            ..Outcome::default()
        };
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

    #[test]
    fn a_game_that_ends_in_a_reset_is_one_game_and_the_authors_mean_stays_theirs() {
        let step = |raw_reward, game_over, reported_end| Outcome {
            raw_reward,
            game_over,
            reported_end,
            ..Outcome::default()
        };
        let mut tracker = EpisodeTracker::new(1);
        let mut games = Vec::new();
        let mut play = |tracker: &mut EpisodeTracker, outcome| {
            games.extend(tracker.step(&[outcome], 0).iter().map(|e| (e.raw_return, e.length)));
        };
        // Three points, then a reset whose no-ops end the game, which EnvPool does not report.
        play(&mut tracker, step(3.0, false, false));
        play(&mut tracker, step(0.0, true, false));
        // Five points, then FIRE in a reset ends the game, which EnvPool reports twice.
        play(&mut tracker, step(5.0, false, false));
        play(&mut tracker, step(0.0, true, true));
        assert_eq!((tracker.mean_finished(), tracker.mean_with_zeros()), (Some(5.0), (8.0, 4.0)));
        play(&mut tracker, step(0.0, false, true));
        assert_eq!((tracker.mean_finished(), tracker.mean_with_zeros()), (Some(5.0), (0.0, 1.0)));
        play(&mut tracker, step(1.0, true, true));
        assert_eq!(games, [(3.0, 2), (5.0, 2), (1.0, 2)]);
    }

    #[test]
    fn counts_of_a_damaged_checkpoint_do_not_overflow() {
        let most = u64::MAX;
        let damaged = format!(r#"{{"running":[[2.0,{most}]],"last":[null],"episodes":{most}}}"#);
        let mut tracker: EpisodeTracker = serde_json::from_str(&damaged).expect("readable");
        tracker.step(&[Outcome { game_over: true, ..Outcome::default() }], 0);
        assert_eq!(tracker.episodes(), most);
    }

    #[test]
    fn an_old_checkpoint_goes_on_with_its_only_count() {
        let old = r#"{"running":[[2.0,7]],"last":[[4.0,9]],"episodes":3}"#;
        let mut tracker: EpisodeTracker = serde_json::from_str(old).expect("readable");
        assert!(tracker.fits(1) && !tracker.fits(2));
        assert_eq!((tracker.mean_finished(), tracker.mean_with_zeros()), (Some(4.0), (4.0, 9.0)));
        let over = Outcome { raw_reward: 1.0, game_over: true, ..Outcome::default() };
        tracker.step(&[over], 0);
        assert_eq!((tracker.mean_finished(), tracker.mean_with_zeros()), (Some(3.0), (4.0, 9.0)));
    }
}
