//! The steps of a screen, in order: what was done, what came of it, and what the agent thought.
//!
//! A step is stored when it is shown, and costs no more than a few hundred bytes. The oldest steps go
//! when there are too many bytes. Each has an allocation of its own: a queue of the steps themselves doubles its memory
//! when it is full, and WebAssembly never gives back what it left.

use std::collections::VecDeque;

use deepspi_playground::play::{Chooser, Step};
use deepspi_run::playing::StepTerms;
use deepspi_worlds::atari::StepOutcome;

use super::source::SharedAgent;

/// What the agent saw before a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its value V(s).
    pub value: f32,
    /// Its policy, `[A]`.
    pub policy: Box<[f32]>,
    /// The importance ratio of the action that was played; none before the agent's first update
    /// here, or without an action.
    pub ratio: Option<f32>,
    /// The reward that its world model predicted for that action.
    pub predicted_reward: Option<f32>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Number of the step since the game was put into the console; starts of games count.
    pub step: u64,
    /// Number of the game, from 1.
    pub game_number: u64,
    /// Who chose the action; none if there was no action.
    pub chosen_by: Option<Chooser>,
    /// The action, an index into the game's actions; none if the step started a game, or went on
    /// after a lost life. Such steps ignore what was chosen.
    pub action: Option<u32>,
    /// Reward, end and lives.
    pub outcome: StepOutcome,
    /// What the agent saw before it; none without an agent.
    pub seen: Option<Seen>,
    /// The terms of the objective; none without an agent or an action.
    pub terms: Option<StepTerms>,
    /// The agent.
    pub agent: SharedAgent,
}

impl Row {
    fn bytes(&self) -> usize {
        let policy = self.seen.as_ref().map_or(0, |seen| seen.policy.len());
        size_of::<Box<Self>>() + size_of::<Self>() + policy * size_of::<f32>()
    }
}

/// The steps of a screen.
#[derive(Debug)]
pub struct Trajectory {
    most_bytes: usize,
    rows: VecDeque<Box<Row>>,
    bytes: usize,
    dropped: u64,
    games: u64,
    /// The last step ended an episode, or the game.
    done: bool,
    over: bool,
}

impl Trajectory {
    /// No steps; at most `most_bytes` will be kept.
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        let rows = VecDeque::new();
        Self { most_bytes, rows, bytes: 0, dropped: 0, games: 0, done: false, over: true }
    }

    /// Appends a step of the agent.
    pub fn push(&mut self, step: &Step, agent: SharedAgent) {
        if self.over || step.action.is_none() {
            self.games += 1;
        }
        // The step after the end of an episode only returns the next start.
        let action = step.action.filter(|_| !self.done);
        let index = action.and_then(|action| usize::try_from(action).ok());
        let of_action = |all: &Option<Vec<f32>>| all.as_ref()?.get(index?).copied();
        let seen = step.seen.as_ref().map(|seen| Seen {
            value: seen.value,
            policy: seen.log_probs.iter().map(|log| log.exp()).collect(),
            ratio: of_action(&seen.ratios),
            predicted_reward: of_action(&seen.predicted_rewards),
        });
        let row = Row {
            step: step.number,
            game_number: self.games,
            chosen_by: step.chooser.filter(|_| action.is_some()),
            action,
            outcome: step.outcome,
            seen,
            terms: step.terms.filter(|_| action.is_some()),
            agent,
        };
        self.done = step.outcome.done;
        self.over = step.outcome.game_over;
        self.bytes += row.bytes();
        self.rows.push_back(Box::new(row));
        while self.bytes > self.most_bytes
            && let Some(oldest) = self.rows.pop_front()
        {
            self.bytes -= oldest.bytes();
            self.dropped += 1;
        }
    }

    /// The steps that are kept, oldest first.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        self.rows.iter().map(Box::as_ref)
    }

    /// The last step.
    #[must_use]
    pub fn last(&self) -> Option<&Row> {
        self.rows.back().map(Box::as_ref)
    }

    /// Steps before them that are no longer kept.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Memory of the steps that are kept.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use deepspi_run::playing::Perception;

    use super::super::source::Agent;
    use super::*;

    /// A step with numbers that differ from step to step.
    pub fn step(number: u64, action: Option<u32>) -> Step {
        let x = number as f32;
        Step {
            game: 1,
            number,
            action,
            chooser: action.map(|_| Chooser::Sampled),
            seen: action.map(|_| Perception {
                log_probs: vec![0.25_f32.ln(), 0.75_f32.ln()],
                value: x + 0.1,
                ratios: Some(vec![1.0 - x / 1e3, 1.0 + x / 1e3]),
                predicted_rewards: Some(vec![-x, x]),
                latent: Vec::new(),
            }),
            terms: action.map(|_| StepTerms {
                advantage: x / 3.0,
                utility: x / 7.0,
                reward_loss: Some(0.5),
                transition_loss: None,
            }),
            outcome: StepOutcome {
                reward: 1.0,
                raw_reward: 5.0,
                lives: 3,
                ..StepOutcome::default()
            },
            sees: None,
            filmed: 4,
            decision_ms: 1.0,
        }
    }

    pub fn agent() -> SharedAgent {
        let algorithm = "deep-spi".to_owned();
        Some(Arc::new(Agent { algorithm, trained_steps: 4096, origin: String::new() }))
    }

    #[test]
    fn a_row_belongs_to_the_action_that_was_played() {
        let mut trajectory = Trajectory::new(usize::MAX);
        trajectory.push(&step(1, None), None);
        trajectory.push(&step(2, Some(1)), agent());
        let rows: Vec<_> = trajectory.rows().cloned().collect();
        assert_eq!((rows[0].step, rows[0].game_number, rows[0].action), (1, 1, None));
        assert_eq!((&rows[0].seen, rows[0].terms, rows[0].chosen_by), (&None, None, None));
        assert_eq!((rows[1].game_number, rows[1].action), (1, Some(1)));
        let seen = rows[1].seen.as_ref().expect("an agent saw");
        assert_eq!((seen.value, seen.ratio, seen.predicted_reward), (2.1, Some(1.002), Some(2.0)));
        assert!((seen.policy[1] - 0.75).abs() < 1e-6, "probabilities, not their logarithms");
        assert_eq!(rows[1].chosen_by, Some(Chooser::Sampled));
        assert_eq!(rows[1].agent, agent());
    }

    #[test]
    fn games_are_counted_and_a_step_after_an_end_has_no_action() {
        let mut trajectory = Trajectory::new(usize::MAX);
        let ended = |number, terminated| {
            let mut step = step(number, Some(0));
            let outcome = &mut step.outcome;
            (outcome.done, outcome.terminated, outcome.game_over) = (true, terminated, terminated);
            step
        };
        for step in [
            step(1, None),
            ended(2, false), // a lost life
            step(3, Some(1)),
            step(4, Some(1)),
            ended(5, true),
            step(6, Some(1)),
            step(7, Some(1)),
            step(8, None),
        ] {
            trajectory.push(&step, None);
        }
        let rows: Vec<_> =
            trajectory.rows().map(|row| (row.game_number, row.action.is_some())).collect();
        let expected = [
            (1, false),
            (1, true),
            (1, false),
            (1, true),
            (1, true),
            (2, false),
            (2, true),
            (3, false),
        ];
        assert_eq!(rows, expected);
        assert!(trajectory.rows().all(|row| row.action.is_some() || row.terms.is_none()));
    }

    #[test]
    fn memory_is_bounded() {
        let most = 50 * (size_of::<Box<Row>>() + size_of::<Row>() + 2 * size_of::<f32>());
        let mut trajectory = Trajectory::new(most);
        for number in 0..1_000 {
            trajectory.push(&step(number, Some(0)), None);
            assert!(trajectory.bytes() <= most);
        }
        assert_eq!((trajectory.rows().len(), trajectory.dropped()), (50, 950));
        assert_eq!(trajectory.rows().next().map(|row| row.step), Some(950));
        let unused = trajectory.rows.capacity() * size_of::<Box<Row>>();
        assert!(unused < most / 10, "the queue itself is small: {unused} bytes of {most}");
    }
}
