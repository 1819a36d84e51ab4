//! Storage of one rollout on the CPU, and the gathering of minibatches from it.
//!
//! Observations stay bytes until a minibatch is gathered: as floats a rollout would exceed the
//! largest binding of WebGPU. Under next-step autoreset the next observation of step t *is* the
//! observation of step t + 1, so T + 1 frames hold both.

use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::env::Outcome;
use crate::gae::{Advantages, gae};
use crate::nn::FrameShape;
use crate::objective::{Minibatch, vector};
use crate::parallel::for_each_chunk;

/// Transitions of T steps in N environments, time-major: index `t * N + n`.
#[derive(Clone, Debug)]
pub struct Rollout {
    frame: FrameShape,
    num_envs: usize,
    actions_available: usize,
    /// `[T + 1, N, C, H, W]`
    observations: Vec<u8>,
    /// `[T, N]`
    actions: Vec<u32>,
    /// `[T, N, A]`: log-probabilities of all actions under the behaviour policy.
    log_probs: Vec<f32>,
    /// `[T + 1, N]`
    values: Vec<f32>,
    /// `[T, N]`
    rewards: Vec<f32>,
    /// `[T + 1, N]`: the flag from before each step; last, the one the last step returned.
    dones: Vec<bool>,
}

/// What the policy said about N observations.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Log-probabilities of all actions, `[N, A]`.
    pub log_probs: Vec<f32>,
    /// Values, `[N]`.
    pub values: Vec<f32>,
}

impl Decision {
    /// Normalises logits `[N, A]`.
    #[must_use]
    pub fn from_logits(logits: &[f32], values: Vec<f32>, actions: usize) -> Self {
        let log_probs = logits.chunks(actions).flat_map(log_softmax).collect();
        Self { log_probs, values }
    }

    /// One action per environment by the Gumbel-max trick, `argmax(log pi - log(-log u))`.
    pub fn sample(&self, actions: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let choose = |row: &[f32]| {
            let mut best = (0, f32::NEG_INFINITY);
            for (action, log_prob) in (0_u32..).zip(row) {
                // `random` lies in [0, 1); 1 - u keeps the logarithm finite.
                let u = 1.0 - rng.random::<f32>();
                let key = log_prob - (-u.min(1.0 - f32::EPSILON / 2.0).ln()).ln();
                if key > best.1 {
                    best = (action, key);
                }
            }
            best.0
        };
        self.log_probs.chunks(actions).map(choose).collect()
    }
}

fn log_softmax(logits: &[f32]) -> impl Iterator<Item = f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let log_sum = logits.iter().map(|x| (x - max).exp()).sum::<f32>().ln();
    logits.iter().map(move |x| x - max - log_sum)
}

impl Rollout {
    /// An empty rollout that starts from the current observations `[N, C, H, W]` and done flags `[N]`.
    #[must_use]
    pub fn start(
        frame: FrameShape,
        actions_available: usize,
        observations: &[u8],
        dones: &[bool],
    ) -> Self {
        Self {
            frame,
            num_envs: dones.len(),
            actions_available,
            observations: observations.to_vec(),
            actions: Vec::new(),
            log_probs: Vec::new(),
            values: Vec::new(),
            rewards: Vec::new(),
            dones: dones.to_vec(),
        }
    }

    /// Appends one step of all environments and the observations it returned.
    pub fn push(
        &mut self,
        decision: Decision,
        actions: Vec<u32>,
        outcomes: &[Outcome],
        observations: &[u8],
    ) {
        self.log_probs.extend(decision.log_probs);
        self.values.extend(decision.values);
        self.actions.extend(actions);
        self.rewards.extend(outcomes.iter().map(|o| o.reward));
        self.dones.extend(outcomes.iter().map(|o| o.done));
        self.observations.extend_from_slice(observations);
    }

    /// Closes the rollout with the values `[N]` of the last observations.
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

    /// Log-probabilities `[T, N, A]` of the behaviour policy.
    #[must_use]
    pub fn log_probs(&self) -> &[f32] {
        &self.log_probs
    }

    /// Advantages and returns; once per iteration, before the first update.
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
        let pick = |values: &[f32]| vector(indices.iter().map(|&i| values[i]).collect(), device);
        let chosen =
            |i: &usize| self.log_probs[i * self.actions_available + self.actions[*i] as usize];
        let mut one_hot = vec![0.0; indices.len() * self.actions_available];
        for (row, &i) in one_hot.chunks_mut(self.actions_available).zip(indices) {
            row[self.actions[i] as usize] = 1.0;
        }
        let shape = [indices.len(), self.actions_available];
        let mut frames: Vec<usize> = indices.to_vec();
        if with_next {
            frames.extend(indices.iter().map(|i| i + self.num_envs));
        }
        Minibatch {
            observations: self.frames(&frames, device),
            actions: Tensor::from_data(TensorData::new(one_hot, shape), device),
            log_probs: vector(indices.iter().map(chosen).collect(), device),
            advantages: pick(&targets.advantages),
            returns: pick(&targets.returns),
            rewards: pick(&self.rewards),
            dones: vector(
                indices.iter().map(|&i| f32::from(u8::from(self.dones[i]))).collect(),
                device,
            ),
            noise: None,
        }
    }

    /// The observations with the given time-major indices (up to `(T + 1) N`), `[B, H, W, C]` in [0, 1].
    #[must_use]
    pub fn frames(&self, indices: &[usize], device: &Device) -> Tensor<4> {
        let len = self.frame.len();
        observations(self.frame, indices.len(), device, |i| {
            &self.observations[indices[i] * len..(indices[i] + 1) * len]
        })
    }
}

/// Observations `[C, H, W]` of bytes as a tensor `[B, H, W, C]` in [0, 1].
pub fn observations<'a>(
    frame: FrameShape,
    batch: usize,
    device: &Device,
    observation: impl Fn(usize) -> &'a [u8] + Send + Sync,
) -> Tensor<4> {
    let FrameShape { channels, height, width } = frame;
    let mut pixels = vec![0.0_f32; batch * frame.len()];
    for_each_chunk(&mut pixels, frame.len(), |i, pixels| {
        for (c, plane) in observation(i).chunks(height * width).enumerate() {
            for (pixel, &byte) in pixels[c..].iter_mut().step_by(channels).zip(plane) {
                *pixel = f32::from(byte) / 255.0;
            }
        }
    });
    Tensor::from_data(TensorData::new(pixels, [batch, height, width, channels]), device)
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
    use super::*;
    use crate::rng::{Stream, stream};

    #[test]
    fn next_observation_of_a_step_is_the_observation_of_the_following_one() {
        let frame = FrameShape { channels: 2, height: 1, width: 1 };
        let mut rollout = Rollout::start(frame, 3, &[0, 1, 2, 3], &[false, true]);
        let decision = Decision::from_logits(&[0.0; 6], vec![0.5, 0.25], 3);
        let outcome = Outcome { reward: 1.0, raw_reward: 4.0, done: true, game_over: true };
        rollout.push(decision, vec![2, 0], &[outcome, Outcome::default()], &[10, 11, 12, 13]);
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
    }

    #[test]
    fn sampling_follows_the_probabilities() {
        let logits: Vec<f32> = [0.5_f32, 0.3, 0.2].iter().map(|p| p.ln()).collect();
        let decision = Decision::from_logits(&logits.repeat(20_000), vec![0.0; 20_000], 3);
        let actions = decision.sample(3, &mut stream(7, Stream::Actions));
        for (action, p) in [(0, 0.5), (1, 0.3), (2, 0.2)] {
            let share = actions.iter().filter(|&&a| a == action).count() as f64 / 20_000.0;
            assert!((share - p).abs() < 0.015, "action {action}: {share}");
        }
    }

    #[test]
    fn a_permutation_contains_everything_once() {
        let mut order = permutation(1000, &mut stream(1, Stream::Shuffle));
        assert_ne!(order[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..1000));
    }
}
