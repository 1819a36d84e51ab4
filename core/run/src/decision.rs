//! The output of a policy for N observations, and how actions are chosen from it.
//!
//! It must not use tensors, so that the page can walk through a maze in the same way as the
//! trainer.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The output of a policy for N observations.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Log-probabilities of all actions, `[N, A]`.
    pub log_probs: Vec<f32>,
    /// Values, `[N]`.
    pub values: Vec<f32>,
}

impl Decision {
    /// A decision from logits `[N, A]`, which are normalised, and values.
    #[must_use]
    pub fn from_logits(logits: &[f32], values: Vec<f32>, actions: usize) -> Self {
        let log_probs = logits.chunks(actions).flat_map(log_softmax).collect();
        Self { log_probs, values }
    }

    /// The given rows, in the given order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let actions = self.log_probs.len() / self.values.len();
        let log_probs = rows.iter().flat_map(|&i| &self.log_probs[i * actions..][..actions]);
        Self {
            log_probs: log_probs.copied().collect(),
            values: rows.iter().map(|&i| self.values[i]).collect(),
        }
    }

    /// One action per environment by the Gumbel-max trick, `argmax(log pi - log(-log u))`.
    pub fn sample(&self, actions: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let choose = |row: &[f32]| {
            let mut best = (0, f32::NEG_INFINITY);
            for (action, log_prob) in (0_u32..).zip(row) {
                // `random` is in [0, 1); 1 - u keeps the logarithm finite.
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

    /// The most probable action in every environment; the first of several.
    #[must_use]
    pub fn greedy(&self, actions: usize) -> Vec<u32> {
        let choose = |row: &[f32]| {
            let mut best = (0, f32::NEG_INFINITY);
            for (action, &log_prob) in (0_u32..).zip(row) {
                if log_prob > best.1 {
                    best = (action, log_prob);
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

#[cfg(test)]
mod tests {
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

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
    fn greedy_is_the_first_of_the_most_probable() {
        let logits = [0.0, 2.0, 2.0, 1.0, 0.5, 0.5, 3.0, 1.0, 2.0];
        let decision = Decision::from_logits(&logits, vec![0.0; 3], 3);
        assert_eq!(decision.greedy(3), [1, 0, 0]);
    }
}
