//! Storage of one rollout, and gathering of minibatches from it.
//!
//! Observations stay bytes until a minibatch is gathered, on the device that trains
//! ([`super::frames`]). Under next-step autoreset the next observation of step t *is* the observation
//! of step t + 1, so T + 1 observations hold both.

use std::ops::Range;

use burn::tensor::{Device, Tensor};
use deepspi_run::certificate;
use deepspi_run::config::DoneLabels;
use deepspi_run::decision::Decision;
use deepspi_worlds::env::VectorEnv;
use deepspi_worlds::frame::FrameShape;
use deepspi_worlds::parallel::for_each_chunk;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::frames::{FrameStore, write_stack};
use super::minibatch::{Minibatch, Targets, vector};
use crate::returns::{Advantages, gae};
use crate::sharing::{Distinct, Sharing};
use crate::traffic::upload;

/// Transitions of T steps in N environments, time-major: index `t * N + n`.
#[derive(Clone, Debug)]
pub struct Rollout {
    num_envs: usize,
    actions_available: usize,
    /// `[T + 1, N]` observations.
    observations: FrameStore,
    /// `[T + 1, N]`: identifiers of the observations, if the environment provides them.
    ids: Option<Vec<u32>>,
    /// `[T, N]`
    actions: Vec<u32>,
    /// `[T, N, A]`: log-probabilities of all actions under the behaviour policy.
    log_probs: Vec<f32>,
    /// `[T + 1, N]`
    values: Vec<f32>,
    /// `[T, N]`
    rewards: Vec<f32>,
    /// `[T + 1, N]`: the done flags from before each step, then those that the last step returned.
    dones: Vec<bool>,
}

impl Rollout {
    /// An empty rollout that starts from the current observations `[N, C, H, W]` and done flags
    /// `[N]`, for about `num_steps` steps.
    #[must_use]
    pub fn start(env: &dyn VectorEnv, dones: &[bool], num_steps: usize) -> Self {
        let mut observations = FrameStore::new(env.frame(), dones.len(), num_steps);
        observations.push(env.observations());
        Self {
            num_envs: dones.len(),
            actions_available: env.actions(),
            observations,
            ids: env.observation_ids().map(<[u32]>::to_vec),
            actions: Vec::new(),
            log_probs: Vec::new(),
            values: Vec::new(),
            rewards: Vec::new(),
            dones: dones.to_vec(),
        }
    }

    /// Appends one step of all environments: the policy's decision, the actions, and the results in
    /// `env`.
    pub fn push(&mut self, decision: Decision, actions: Vec<u32>, env: &dyn VectorEnv) {
        let outcomes = env.outcomes();
        self.log_probs.extend(decision.log_probs);
        self.values.extend(decision.values);
        self.actions.extend(actions);
        self.rewards.extend(outcomes.iter().map(|o| o.reward));
        self.dones.extend(outcomes.iter().map(|o| o.done));
        self.observations.push(env.observations());
        if let Some((ids, new)) = self.ids.as_mut().zip(env.observation_ids()) {
            ids.extend_from_slice(new);
        }
    }

    /// Completes the rollout with the values `[N]` of the last observations.
    pub fn finish(&mut self, values: Vec<f32>) {
        self.values.extend(values);
    }

    /// Number of transitions, `T * N`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rewards.len()
    }

    /// Whether no step was taken yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rewards.is_empty()
    }

    /// Done flags after the last step, `[N]`.
    #[must_use]
    pub fn last_dones(&self) -> &[bool] {
        &self.dones[self.dones.len() - self.num_envs..]
    }

    /// Done flags from before each step, `[T, N]`: set on the fake steps after the end of an
    /// episode.
    #[must_use]
    pub fn dones(&self) -> &[bool] {
        &self.dones[..self.len()]
    }

    /// Rewards `[T, N]`.
    #[must_use]
    pub fn rewards(&self) -> &[f32] {
        &self.rewards
    }

    /// Values `[T, N]` of the behaviour policy's critic.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values[..self.len()]
    }

    /// See [`certificate::average_episode_length`].
    #[must_use]
    pub fn average_episode_length(&self) -> Option<f64> {
        certificate::average_episode_length(&self.dones, self.num_envs)
    }

    /// Actions `[T, N]`.
    #[must_use]
    pub fn actions(&self) -> &[u32] {
        &self.actions
    }

    /// Identifiers of some observations, time-major; none if the environment provides none.
    #[must_use]
    pub fn ids(&self, range: Range<usize>) -> Option<&[u32]> {
        self.ids.as_ref().map(|ids| &ids[range])
    }

    /// A plane `[H * W]` of an observation.
    #[must_use]
    pub fn plane(&self, observation: usize, channel: usize) -> &[u8] {
        self.observations.plane_of(observation, channel)
    }

    /// Log-probability of the chosen action of a transition.
    #[must_use]
    pub fn chosen_log_prob(&self, transition: usize) -> f32 {
        self.log_probs[transition * self.actions_available + self.actions[transition] as usize]
    }

    /// Replaces log-probabilities `[T, N, A]` and values `[T + 1, N]` by those of another policy.
    ///
    /// # Panics
    /// If the lengths do not match.
    pub fn judge(&mut self, log_probs: Vec<f32>, values: Vec<f32>) {
        assert_eq!(log_probs.len(), self.len() * self.actions_available, "[T, N, A]");
        assert_eq!(values.len(), self.len() + self.num_envs, "[T + 1, N]");
        (self.log_probs, self.values) = (log_probs, values);
    }

    /// Done flags `[T + 1, N]`: from before each step, then those that the last step returned.
    #[must_use]
    pub fn all_dones(&self) -> &[bool] {
        &self.dones
    }

    /// Values `[T + 1, N]`.
    #[must_use]
    pub fn all_values(&self) -> &[f32] {
        &self.values
    }

    /// Number of environments N.
    #[must_use]
    pub const fn num_envs(&self) -> usize {
        self.num_envs
    }

    /// Indices of observations `[T + 1, N]` that cover all of them, and for each observation which of
    /// these is its own; no rows if every observation is one of its own.
    #[must_use]
    pub fn every_observation(&self) -> (Vec<usize>, Option<Vec<usize>>) {
        match &self.ids {
            None => ((0..self.len() + self.num_envs).collect(), None),
            Some(ids) => {
                let distinct = Distinct::of(ids);
                (distinct.firsts, Some(distinct.rows))
            }
        }
    }

    /// Log-probabilities `[T, N, A]` of the behaviour policy.
    #[must_use]
    pub fn log_probs(&self) -> &[f32] {
        &self.log_probs
    }

    /// Advantages and returns; compute them once per iteration, before the first update.
    #[must_use]
    pub fn advantages(&self, gamma: f32, lambda: f32) -> Advantages {
        gae(&self.rewards, &self.dones, &self.values, self.num_envs, gamma, lambda)
    }

    /// Gathers the transitions `indices` on `device`; `with_next` appends the next observations.
    #[must_use]
    pub fn minibatch(
        &self,
        indices: &[usize],
        targets: &Advantages,
        with_next: bool,
        device: &Device,
    ) -> Minibatch {
        let pick = |values: &[f32]| indices.iter().map(|&i| values[i]).collect();
        let mut one_hot = vec![0.0; indices.len() * self.actions_available];
        for (row, &i) in one_hot.chunks_mut(self.actions_available).zip(indices) {
            row[self.actions[i] as usize] = 1.0;
        }
        let shape = [indices.len(), self.actions_available];
        let mut frames: Vec<usize> = indices.to_vec();
        if with_next {
            frames.extend(indices.iter().map(|i| i + self.num_envs));
        }
        let sharing = self.ids.as_ref().map(|ids| {
            let distinct = Distinct::of(frames.iter().map(|&i| ids[i]));
            let pairs = Distinct::of(indices.iter().map(|&i| (ids[i], self.actions[i])));
            let sharing = Sharing::new(&distinct, &pairs, device);
            frames = distinct.firsts.iter().map(|&i| frames[i]).collect();
            sharing
        });
        Minibatch {
            observations: self.frames(&frames, device),
            sharing,
            actions: upload(one_hot, shape, device),
            targets: Targets {
                log_probs: indices.iter().map(|&i| self.chosen_log_prob(i)).collect(),
                advantages: pick(&targets.advantages),
                returns: pick(&targets.returns),
                actions: indices.iter().map(|&i| self.actions[i]).collect(),
            }
            .upload(device),
            rewards: vector(pick(&self.rewards), device),
            dones: vector(
                indices.iter().map(|&i| f32::from(u8::from(self.dones[i]))).collect(),
                device,
            ),
            noise: None,
            penalty: None,
            ends: None,
        }
    }

    /// Labels of the done predictor for the next observations of the transitions `indices`.
    #[must_use]
    pub fn ends(&self, indices: &[usize], labels: DoneLabels) -> Vec<f32> {
        let label = |&i: &usize| {
            let is_held = labels == DoneLabels::Corrected && self.dones[i];
            f32::from(u8::from(self.dones[i + self.num_envs] || is_held))
        };
        indices.iter().map(label).collect()
    }

    /// Indices of transitions that cover all distinct observations: one index for each distinct
    /// observation if the environment identifies its observations, else every index.
    #[must_use]
    pub fn distinct(&self) -> Vec<usize> {
        self.ids.as_ref().map_or_else(
            || (0..self.len()).collect(),
            |ids| Distinct::of(&ids[..self.len()]).firsts,
        )
    }

    /// Indices of transitions that cover all observations from before a step, and how to repeat these
    /// for all transitions; no repetition if every observation is one of its own.
    #[must_use]
    pub fn all_observations(&self) -> (Vec<usize>, Option<Distinct>) {
        match &self.ids {
            None => ((0..self.len()).collect(), None),
            Some(ids) => {
                let distinct = Distinct::of(&ids[..self.len()]);
                (distinct.firsts.clone(), Some(distinct))
            }
        }
    }

    /// Indices of the last observations that cover all of them, and for each environment which of
    /// these is its own; no rows if every environment has one of its own.
    #[must_use]
    pub fn last_observations(&self) -> (Vec<usize>, Option<Vec<usize>>) {
        let first = self.len();
        match &self.ids {
            None => ((first..first + self.num_envs).collect(), None),
            Some(ids) => {
                let distinct = Distinct::of(&ids[first..]);
                (distinct.firsts.iter().map(|i| first + i).collect(), Some(distinct.rows))
            }
        }
    }

    /// The observations with the given time-major indices (up to `(T + 1) N`), `[B, H, W, C]` in
    /// [0, 1].
    #[must_use]
    pub fn frames(&self, indices: &[usize], device: &Device) -> Tensor<4> {
        self.observations.gather(indices, device)
    }
}

/// Sequences that are put together to a rollout.
#[derive(Debug)]
pub(super) struct Sequences {
    count: usize,
    actions_available: usize,
    observations: FrameStore,
    /// `[T + 1, N]`, or empty.
    pub(super) ids: Vec<u32>,
    /// `[T + 1, N]`
    pub(super) dones: Vec<bool>,
    /// `[T, N]`
    pub(super) actions: Vec<u32>,
    /// `[T, N]`
    pub(super) rewards: Vec<f32>,
}

impl Sequences {
    /// No steps of `count` sequences.
    pub(super) fn new(frame: FrameShape, count: usize, actions_available: usize) -> Self {
        Self {
            count,
            actions_available,
            observations: FrameStore::new(frame, count, 0),
            ids: Vec::new(),
            dones: Vec::new(),
            actions: Vec::new(),
            rewards: Vec::new(),
        }
    }

    /// Appends the observations `[N, C, H, W]` of one time.
    pub(super) fn push_observations(&mut self, pixels: &[u8]) {
        self.observations.push(pixels);
    }

    /// The rollout, without log-probabilities and values.
    pub(super) fn rollout(self) -> Rollout {
        let Self { count, actions_available, observations, ids, dones, actions, rewards } = self;
        Rollout {
            num_envs: count,
            actions_available,
            observations,
            ids: (!ids.is_empty()).then_some(ids),
            actions,
            log_probs: Vec::new(),
            values: Vec::new(),
            rewards,
            dones,
        }
    }
}

/// Converts observations `[C, H, W]` of bytes to a tensor `[B, H, W, C]` in [0, 1].
pub fn observations<'a>(
    frame: FrameShape,
    batch: usize,
    device: &Device,
    observation: impl Fn(usize) -> &'a [u8] + Send + Sync,
) -> Tensor<4> {
    let FrameShape { channels, height, width } = frame;
    let mut pixels = vec![0.0_f32; batch * frame.len()];
    for_each_chunk(&mut pixels, frame.len(), |i, pixels| {
        let observation = observation(i);
        write_stack(pixels, channels, |c| &observation[c * height * width..][..height * width]);
    });
    upload(pixels, [batch, height, width, channels], device)
}

/// A random order of `0..len` (Fisher-Yates).
pub fn permutation(len: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    for i in (1..len).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    order
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::env::{EnvError, Outcome, Pending, ready};
    use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs};
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

    /// The observations of two environments, without any rules.
    #[derive(Debug)]
    struct TwoFrames {
        observations: Vec<u8>,
        outcomes: Vec<Outcome>,
    }

    impl VectorEnv for TwoFrames {
        fn num_envs(&self) -> usize {
            2
        }
        fn frame(&self) -> FrameShape {
            FrameShape { channels: 2, height: 1, width: 1 }
        }
        fn actions(&self) -> usize {
            3
        }
        fn send_reset(&mut self) -> Result<(), EnvError> {
            Ok(())
        }
        fn send(&mut self, _actions: &[u32]) -> Result<(), EnvError> {
            Ok(())
        }
        fn receive(&mut self) -> Pending<'_> {
            ready()
        }
        fn observations(&self) -> &[u8] {
            &self.observations
        }
        fn outcomes(&self) -> &[Outcome] {
            &self.outcomes
        }
    }

    #[test]
    fn shared_observations_stand_for_all_they_equal() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let mut env = MazeEnvs::new(maze, 6, 1);
        let mut rollout = Rollout::start(&env, &[false; 6], 2);
        for actions in [[3, 3, 3, 0, 0, 0], [3, 3, 3, 3, 0, 0]] {
            env.step(&actions);
            let decision = Decision::from_logits(&[0.0; 24], vec![0.0; 6], 4);
            rollout.push(decision, actions.to_vec(), &env);
        }
        rollout.finish(vec![0.0; 6]);
        let targets = rollout.advantages(0.9, 0.9);
        let device = Device::flex();
        let indices = [7, 11, 0, 4];
        let batch = rollout.minibatch(&indices, &targets, true, &device);
        let sharing = batch.sharing.expect("the maze names its states");
        let distinct = batch.observations.dims()[0];
        assert!(distinct <= 4, "start, hazard and the first cells: {distinct}");
        let all = indices.map(|i| i + 6);
        let expected = rollout.frames(&[&indices[..], &all[..]].concat(), &device);
        let repeated = sharing.observations.apply(batch.observations);
        assert_eq!(repeated.into_data(), expected.into_data());
        // Pairs: (hazard, right), (start, up), (start, right), (start, up).
        let samples = sharing.pair_samples.into_data().convert::<i64>();
        assert_eq!(samples.try_to_vec::<i64>().expect("i64"), [0, 1, 2]);
        assert_eq!(rollout.distinct().len(), 2, "start and hazard were acted in");
    }

    #[test]
    fn next_observation_of_a_step_is_the_observation_of_the_following_one() {
        let mut env =
            TwoFrames { observations: vec![0, 1, 2, 3], outcomes: vec![Outcome::default(); 2] };
        let mut rollout = Rollout::start(&env, &[false, true], 1);
        let decision = Decision::from_logits(&[0.0; 6], vec![0.5, 0.25], 3);
        env.outcomes[0] =
            Outcome { reward: 1.0, raw_reward: 4.0, done: true, ..Outcome::default() };
        env.observations = vec![10, 11, 12, 13];
        rollout.push(decision, vec![2, 0], &env);
        rollout.finish(vec![0.0, 0.0]);
        let targets = rollout.advantages(0.9, 0.9);
        let batch = rollout.minibatch(&[1, 0], &targets, true, &Device::flex());
        let pixels: Vec<f32> = batch.observations.into_data().try_to_vec().expect("f32");
        let bytes: Vec<u8> = pixels.iter().map(|x| (x * 255.0).round() as u8).collect();
        assert_eq!(bytes, [2, 3, 0, 1, 12, 13, 10, 11]);
        let actions: Vec<f32> = batch.actions.into_data().try_to_vec().expect("f32");
        assert_eq!(actions, [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let dones: Vec<f32> = batch.dones.into_data().try_to_vec().expect("f32");
        assert_eq!(dones, [1.0, 0.0], "the flag from before the step");
        assert_eq!(rollout.last_dones(), [true, false]);
        // The first environment ends in this step; the second ended before it.
        assert_eq!(rollout.ends(&[0, 1], DoneLabels::Corrected), [1.0, 1.0]);
        assert_eq!(rollout.ends(&[0, 1], DoneLabels::Parity), [1.0, 0.0]);
    }

    #[test]
    fn a_permutation_contains_everything_once() {
        let mut order = permutation(1000, &mut stream(1, Stream::Shuffle));
        assert_ne!(order[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..1000));
    }
}
