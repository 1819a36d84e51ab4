//! A replay buffer of sequences, with each plane of pixels stored once.
//!
//! Time is a ring: a step of all N environments overwrites the oldest one. A sampled sequence begins at
//! any time and in any environment, with replacement, and may cross ends of episodes; so does the buffer
//! of the authors' default (flashbax). Next observations and flags are those of the following time.
//!
//! An observation of a game is a stack of four frames, three of which the observation before has, too.
//! Planes are compared with those of the observation before and counted by the observations that use
//! them, so a buffer needs a quarter of the memory, and knows nothing of games.

use std::collections::VecDeque;

use deepspi_worlds::frame::FrameShape;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::rollout::{Rollout, Sequences};

/// Newest start times that are preferred by `prioritize_new_samples`.
const NEWEST: usize = 128;

/// What the environments returned and did in one step; N entries each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Time {
    /// Planes of the observations before the step, `[N, C]`.
    pub(super) places: Vec<u32>,
    /// Identifiers of these observations; empty if the environment provides none.
    pub(super) ids: Vec<u32>,
    /// Done flags from before the step.
    pub(super) dones: Vec<bool>,
    /// Actions.
    pub(super) actions: Vec<u8>,
    /// Rewards.
    pub(super) rewards: Vec<f32>,
    /// Log-probabilities of the actions under the policy that acted.
    pub(super) behaviour: Vec<f32>,
}

/// Steps of N environments.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayBuffer {
    pub(super) frame: FrameShape,
    pub(super) num_envs: usize,
    /// Steps per environment that are kept.
    pub(super) capacity: usize,
    pub(super) times: VecDeque<Time>,
    /// `[planes, H * W]`
    pub(super) planes: Vec<u8>,
    /// How many observations use each plane.
    pub(super) uses: Vec<u32>,
    /// Planes that no observation uses.
    pub(super) free: Vec<u32>,
}

/// Sequences of a buffer, with the log-probabilities `[T, N]` of their actions under the policies that
/// acted.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// The sequences as a rollout of T steps in as many environments; the policy has not been evaluated
    /// on it yet.
    pub rollout: Rollout,
    /// See above.
    pub behaviour: Vec<f32>,
}

impl ReplayBuffer {
    /// An empty buffer for `steps` steps of all environments together.
    #[must_use]
    pub fn new(frame: FrameShape, num_envs: usize, steps: usize) -> Self {
        Self {
            frame,
            num_envs,
            capacity: (steps / num_envs).max(1),
            times: VecDeque::new(),
            planes: Vec::new(),
            uses: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Steps per environment.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Bytes of pixels in memory.
    #[must_use]
    pub const fn pixel_bytes(&self) -> usize {
        self.planes.len()
    }

    const fn plane_len(&self) -> usize {
        self.frame.height * self.frame.width
    }

    fn plane(&self, place: u32) -> &[u8] {
        &self.planes[place as usize * self.plane_len()..][..self.plane_len()]
    }

    /// Appends the steps of a rollout.
    pub fn push(&mut self, rollout: &Rollout) {
        let steps = rollout.len() / self.num_envs;
        for t in 0..steps {
            let range = t * self.num_envs..(t + 1) * self.num_envs;
            let mut places = Vec::with_capacity(self.num_envs * self.frame.channels);
            for n in 0..self.num_envs {
                for c in 0..self.frame.channels {
                    let plane = rollout.plane(range.start + n, c);
                    let place = self.place_of(plane, n, c, &places);
                    places.push(place);
                }
            }
            self.times.push_back(Time {
                places,
                ids: rollout.ids(range.clone()).map_or_else(Vec::new, <[u32]>::to_vec),
                dones: rollout.dones()[range.clone()].to_vec(),
                actions: rollout.actions()[range.clone()].iter().map(|a| *a as u8).collect(),
                rewards: rollout.rewards()[range.clone()].to_vec(),
                behaviour: range.map(|i| rollout.chosen_log_prob(i)).collect(),
            });
            if self.times.len() > self.capacity {
                self.forget_oldest();
            }
        }
    }

    /// The place of a plane of environment `n`, which is counted once more; `own` are the places of this
    /// time so far.
    fn place_of(&mut self, plane: &[u8], n: usize, c: usize, own: &[u32]) -> u32 {
        let channels = self.frame.channels;
        let earlier = self.times.back().map(|time| &time.places[n * channels..][..channels]);
        // A stack moves on by one, or stands still, or repeats its first frame.
        let candidates = [
            earlier.and_then(|earlier| earlier.get(c + 1)).copied(),
            earlier.map(|earlier| earlier[c]),
            if c > 0 { own.last().copied() } else { None },
        ];
        let known = candidates.into_iter().flatten().find(|&place| self.plane(place) == plane);
        let place = known.unwrap_or_else(|| self.store(plane));
        let uses = &mut self.uses[place as usize];
        *uses = uses.saturating_add(1);
        place
    }

    fn store(&mut self, plane: &[u8]) -> u32 {
        if let Some(place) = self.free.pop() {
            let start = place as usize * self.plane_len();
            self.planes[start..start + plane.len()].copy_from_slice(plane);
            return place;
        }
        self.planes.extend_from_slice(plane);
        self.uses.push(0);
        self.uses.len() as u32 - 1
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.times.pop_front() else { return };
        for place in oldest.places {
            let uses = &mut self.uses[place as usize];
            *uses -= 1;
            if *uses == 0 {
                self.free.push(place);
            }
        }
    }

    /// Start times of sequences of `length` steps, of which the observation after the last step is
    /// needed, too.
    #[must_use]
    pub fn starts(&self, length: usize) -> usize {
        self.len().saturating_sub(length)
    }

    /// Draws `count` sequences of `length` steps: start and environment uniform, with replacement; with
    /// probability `newest` the start is one of the newest.
    ///
    /// # Panics
    /// If the buffer holds no such sequence.
    #[must_use]
    pub fn sample(
        &self,
        count: usize,
        length: usize,
        newest: f32,
        actions: usize,
        rng: &mut ChaCha8Rng,
    ) -> Sampled {
        let starts = self.starts(length);
        assert!(starts > 0, "the buffer holds {} steps, not {}", self.len(), length + 1);
        let drawn: Vec<(usize, usize)> = (0..count)
            .map(|_| {
                let among = if rng.random::<f32>() < newest { NEWEST.min(starts) } else { starts };
                let start = starts - among + rng.random_range(0..among);
                (start, rng.random_range(0..self.num_envs))
            })
            .collect();
        let mut sequences = Sequences::new(self.frame, count, actions);
        let mut behaviour = Vec::with_capacity(length * count);
        for t in 0..=length {
            let mut pixels = Vec::with_capacity(count * self.frame.len());
            for &(start, n) in &drawn {
                let time = &self.times[start + t];
                let channels = self.frame.channels;
                for &place in &time.places[n * channels..][..channels] {
                    pixels.extend_from_slice(self.plane(place));
                }
                sequences.dones.push(time.dones[n]);
                sequences.ids.extend(time.ids.get(n));
                if t < length {
                    sequences.actions.push(time.actions[n].into());
                    sequences.rewards.push(time.rewards[n]);
                    behaviour.push(time.behaviour[n]);
                }
            }
            sequences.push_observations(&pixels);
        }
        Sampled { rollout: sequences.rollout(), behaviour }
    }
}

/// Bytes of pixels and of everything else that a buffer of `steps` steps needs, if every observation has
/// one new plane.
#[must_use]
pub const fn bytes_needed(frame: FrameShape, steps: usize) -> usize {
    // Places and counts of planes, action, reward, flag, log-probability, identifier.
    steps.saturating_mul(frame.height * frame.width + 4 * frame.channels + 4 + 14)
}

#[cfg(test)]
pub(super) mod tests {
    use deepspi_run::decision::Decision;
    use deepspi_worlds::env::{EnvError, Outcome, Pending, VectorEnv, ready};
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

    pub(in crate::data) const FRAME: FrameShape = FrameShape { channels: 2, height: 1, width: 2 };

    /// Two environments whose frames count upwards; a stack holds the last two frames.
    #[derive(Debug)]
    struct Counting {
        observations: Vec<u8>,
        outcomes: Vec<Outcome>,
    }

    impl Counting {
        fn at(now: u8) -> Self {
            let frame = |n: u8, x: u8| [10 * n + x, x];
            let observations = [1, 2].map(|n| [frame(n, now), frame(n, now + 1)]);
            let observations = observations.concat().concat();
            let outcome = Outcome { reward: now.into(), ..Outcome::default() };
            let outcomes = vec![Outcome { done: now.is_multiple_of(3), ..outcome }; 2];
            Self { observations, outcomes }
        }
    }

    impl VectorEnv for Counting {
        fn num_envs(&self) -> usize {
            2
        }
        fn frame(&self) -> FrameShape {
            FRAME
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

    /// A rollout of `steps` steps from frame `from` on.
    pub(in crate::data) fn rollout(from: u8, steps: u8) -> Rollout {
        let mut rollout =
            Rollout::start(&Counting::at(from), &[from.is_multiple_of(3); 2], steps.into());
        for now in from + 1..=from + steps {
            let decision = Decision::from_logits(&[0.1, 0.2, 0.3, 0.3, 0.2, 0.1], vec![0.0; 2], 3);
            rollout.push(decision, vec![u32::from(now % 3), 1], &Counting::at(now));
        }
        rollout.finish(vec![0.0; 2]);
        rollout
    }

    fn pixels(rollout: &Rollout, index: usize) -> Vec<u8> {
        (0..FRAME.channels).flat_map(|c| rollout.plane(index, c).to_vec()).collect()
    }

    #[test]
    fn sequences_are_what_was_stored_and_the_oldest_is_forgotten() {
        let mut buffer = ReplayBuffer::new(FRAME, 2, 14);
        for from in [0, 5, 10] {
            buffer.push(&rollout(from, 5));
            assert_eq!(buffer.len(), usize::from(from + 5).min(7));
        }
        // Seven times with two planes each, one of which the time before has, too, in two environments.
        assert_eq!(
            buffer.pixel_bytes() / FRAME.width,
            2 * 9,
            "planes of forgotten times are reused"
        );
        assert_eq!(buffer.uses.iter().filter(|uses| **uses > 0).count(), 2 * 8);
        let mut rng = stream(1, Stream::Shuffle);
        let Sampled { rollout: found, behaviour } = buffer.sample(50, 3, 0.0, 3, &mut rng);
        let mut starts = [0; 4];
        for sequence in 0..50 {
            let first = pixels(&found, sequence)[1];
            starts[usize::from(first - 8)] += 1;
            for t in 0..=3_u8 {
                let index = usize::from(t) * 50 + sequence;
                let now = first + t;
                let found_pixels = pixels(&found, index);
                let n = (found_pixels[0] - found_pixels[1]) / 10;
                let expected = [10 * n + now, now, 10 * n + now + 1, now + 1];
                assert_eq!(found_pixels, expected, "time {now}");
                assert!(n == 1 || n == 2, "one of the environments");
                if t < 3 {
                    assert_eq!(found.rewards()[index], f32::from(now + 1));
                    assert_eq!(found.dones()[index], now.is_multiple_of(3));
                }
            }
        }
        assert!(starts.iter().all(|count| *count > 3), "every start is drawn: {starts:?}");
        assert!(behaviour.iter().all(|x| (-1.3..-0.9).contains(x)));
        assert_eq!(buffer.starts(7), 0);
    }

    #[test]
    fn the_newest_are_preferred_if_wanted() {
        let mut buffer = ReplayBuffer::new(FRAME, 2, 2000);
        for _ in 0..3 {
            buffer.push(&rollout(0, 100));
        }
        let mut rng = stream(1, Stream::Shuffle);
        let sampled = buffer.sample(200, 4, 1.0, 3, &mut rng);
        let first = |i| pixels(&sampled.rollout, i)[1];
        // The newest 128 of 296 start times: 168 to 295.
        assert!((0..200).all(|i| first(i) <= 95 || first(i) >= 68));
        assert!((0..200).any(|i| first(i) < 60), "of the last rollout");
    }

    #[test]
    fn memory_is_counted_with_one_new_plane_per_observation() {
        let atari = FrameShape { channels: 4, height: 84, width: 84 };
        let gigabytes = bytes_needed(atari, 500_000) as f64 / 1e9;
        assert!((3.5..3.6).contains(&gigabytes), "{gigabytes}");
    }
}
