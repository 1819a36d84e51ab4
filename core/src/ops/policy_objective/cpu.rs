//! The objective on plain slices.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use deepspi_run::config::Auxiliary;

use super::{Mean, ObjectiveKernels, ObjectiveOp, Settings, places};
use crate::ops::cpu::{contiguous, float_tensor, values as read};

impl ObjectiveOp for Flex {
    fn objective(
        outputs: FlexTensor,
        transition: FlexTensor,
        reward: FlexTensor,
        targets: FlexTensor,
        settings: Settings,
    ) -> (FlexTensor, FlexTensor) {
        let [batch, width] = outputs.shape().dims();
        let actions = width - 1;
        let inputs = [outputs, transition, reward, targets].map(contiguous);
        let [outputs, transition, reward, targets] = inputs.each_ref().map(read);
        let (log_probs, rest) = targets.split_at(batch);
        let (advantages, rest) = rest.split_at(batch);
        let (returns, chosen) = rest.split_at(batch);
        let places = places(batch, actions);
        let mut packed = vec![0.0; places.len];
        let mut sums = [0.0_f64; 9];
        let (centre, deviation) = if settings.normalise { moments(advantages) } else { (0.0, 1.0) };
        let weight = 1.0 / batch as f32;
        let mut probabilities = vec![0.0; actions];
        for b in 0..batch {
            let (row, value) = outputs[b * width..][..width].split_at(actions);
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let log_sum = row.iter().map(|x| (x - largest).exp()).sum::<f32>().ln() + largest;
            let mut entropy = 0.0;
            for (p, x) in probabilities.iter_mut().zip(row) {
                *p = (x - log_sum).exp();
                entropy -= *p * (x - log_sum);
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let action = chosen[b] as usize;
            let log_ratio = row[action] - log_sum - log_probs[b];
            let ratio = log_ratio.exp();
            let weighted = match settings.auxiliary {
                Auxiliary::Absent => 0.0,
                _ => reward[b] * settings.reward + transition[b] * settings.transition,
            };
            let advantage = (advantages[b] - centre) / deviation;
            let inside = settings.auxiliary == Auxiliary::InsideClip;
            let utility = if inside { advantage - weighted } else { advantage };
            let term = settings.term(utility, ratio);
            let error = value[0] - returns[b];
            let (value_loss, value_slope) = settings.value_loss(error);

            for a in 0..actions {
                let of_choice = f32::from(u8::from(a == action)) - probabilities[a];
                let of_entropy = probabilities[a] * (row[a] - log_sum + entropy);
                packed[places.outputs + b * width + a] =
                    weight * (term.by_ratio * ratio * of_choice + settings.entropy * of_entropy);
            }
            packed[places.outputs + b * width + actions] = settings.value * weight * value_slope;
            packed[places.auxiliary + b] = match settings.auxiliary {
                Auxiliary::InsideClip => -weight * term.by_utility,
                Auxiliary::OutsideClip => weight,
                Auxiliary::Absent => 0.0,
            };
            packed[places.utilities + b] = utility;
            packed[places.ratios + b] = ratio;
            packed[places.entropy + b] = entropy;

            let mut add = |mean: Mean, value: f32| sums[mean as usize] += f64::from(value);
            let outside = settings.auxiliary == Auxiliary::OutsideClip;
            add(Mean::Loss, if outside { weighted } else { 0.0 });
            add(Mean::Policy, term.loss);
            add(Mean::Value, value_loss);
            add(Mean::Entropy, entropy);
            add(Mean::ApproxKl, ratio - 1.0 - log_ratio);
            add(Mean::ClipFraction, f32::from(u8::from((ratio - 1.0).abs() > settings.clip)));
            add(Mean::Drift, term.drift);
            if settings.auxiliary != Auxiliary::Absent {
                add(Mean::Transition, transition[b]);
                add(Mean::Reward, reward[b]);
            }
        }
        let mean = |mean: Mean| (sums[mean as usize] / batch as f64) as f32;
        for i in 1..sums.len() {
            packed[i] = (sums[i] / batch as f64) as f32;
        }
        let total = mean(Mean::Policy) - settings.entropy * mean(Mean::Entropy)
            + settings.value * mean(Mean::Value)
            + mean(Mean::Loss);
        packed[Mean::Loss as usize] = total;
        (float_tensor(vec![total], [1]), float_tensor(packed, [places.len]))
    }
}

impl ObjectiveKernels for Flex {
    fn objective_grads(
        packed: FlexTensor,
        grad: FlexTensor,
        [batch, width]: [usize; 2],
        settings: Settings,
    ) -> [FlexTensor; 3] {
        let [packed, grad] = [packed, grad].map(contiguous);
        let (packed, grad) = (read(&packed), read(&grad)[0]);
        let places = places(batch, width - 1);
        let part = |start: usize, len: usize, factor: f32| {
            packed[start..start + len].iter().map(|x| x * factor).collect::<Vec<f32>>()
        };
        [
            float_tensor(part(places.outputs, batch * width, grad), [batch, width]),
            float_tensor(part(places.auxiliary, batch, grad * settings.transition), [batch]),
            float_tensor(part(places.auxiliary, batch, grad * settings.reward), [batch]),
        ]
    }
}

/// The policy loss of one sample.
struct Term {
    loss: f32,
    drift: f32,
    /// Derivative by the ratio.
    by_ratio: f32,
    /// Derivative by the utility.
    by_utility: f32,
}

impl Settings {
    /// Loss of a value's error, and its derivative.
    fn value_loss(&self, error: f32) -> (f32, f32) {
        if self.huber && error.abs() > 1.0 {
            (error.abs() - 0.5, error.signum())
        } else {
            (0.5 * error * error, error)
        }
    }

    fn term(&self, utility: f32, ratio: f32) -> Term {
        let clipped = ratio.clamp(1.0 - self.clip, 1.0 + self.clip);
        let beyond = (ratio - clipped) * utility;
        let drift = beyond.max(0.0);
        let taken = beyond > 0.0;
        match self.drift {
            None if taken => {
                Term { loss: -utility * clipped, drift, by_ratio: 0.0, by_utility: -clipped }
            }
            None => Term { loss: -utility * ratio, drift, by_ratio: -utility, by_utility: -ratio },
            Some(factor) => {
                let factor = if taken { factor } else { 0.0 };
                Term {
                    loss: factor * drift - utility * ratio,
                    drift,
                    by_ratio: (factor - 1.0) * utility,
                    by_utility: factor * (ratio - clipped) - ratio,
                }
            }
        }
    }
}

/// Mean and population standard deviation plus 1e-8.
fn moments(values: &[f32]) -> (f32, f32) {
    let count = values.len() as f64;
    let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
    let variance = values.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / count;
    (mean as f32, (variance.sqrt() + 1e-8) as f32)
}
