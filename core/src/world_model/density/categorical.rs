//! Categorical latents: an independent distribution over the classes of every category
//! (docs/deepspi.md, sections 4.1 and 4.2).
//!
//! A sample adds Gumbel noise to the logits and takes the largest, one-hot. Its gradient is that of the
//! probabilities, or with the Gumbel-softmax that of the softmax of the noisy logits, at temperature 1.

use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{CategoricalCost, CostTarget};
use rand_chacha::ChaCha8Rng;

use super::{Density, Statistics, TransitionNoise, TransitionTarget, repeated};
use crate::nn::categorical::straight_through;
use crate::ops::noise::{Bound, CounterNoise};
use crate::ops::smooth_l1::smooth_l1_distance;
use crate::world_model::architecture::CategoricalArchitecture;

/// Added to probabilities inside logarithms, and the bound below which a divergence counts as 0.
const SMALL: f32 = 1e-8;
/// Targets of the Jensen-Shannon divergence keep this distance from 0 and 1.
const MARGIN: f32 = 2e-8;
/// Smallest exponential number that is used: a smaller one would have no finite logarithm.
const SMALLEST_EXPONENTIAL: f32 = 3e-8;

/// Distributions over classes.
#[derive(Clone, Copy, Debug)]
pub struct Categorical {
    cost: CategoricalCost,
    target: CostTarget,
    gumbel_softmax: bool,
}

/// The noise of one class of each category.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each minibatch")]
pub enum ClassNoise {
    /// Gumbel numbers `[B, categories, classes]`.
    Given(Tensor<3>),
    /// Numbers that are computed where they are used.
    Counter(CounterNoise),
}

impl ClassNoise {
    /// Gumbel numbers of this shape.
    fn values(self, [batch, rows, classes]: [usize; 3], device: &Device) -> Tensor<3> {
        match self {
            Self::Given(values) => values,
            Self::Counter(noise) => {
                let uniform = noise.values([batch, rows, 1, classes], device).squeeze_dim::<3>(2);
                let exponential = (uniform * 0.5 + 0.5).log().neg();
                exponential.clamp_min(SMALLEST_EXPONENTIAL).log().neg()
            }
        }
    }

    /// The noise of the first state for each of `batch` states.
    #[must_use]
    pub(super) fn repeat(self, batch: usize) -> Self {
        match self {
            Self::Given(values) => Self::Given(values.narrow(0, 0, 1).repeat_dim(0, batch)),
            Self::Counter(noise) => Self::Counter(CounterNoise { common: true, ..noise }),
        }
    }
}

impl Categorical {
    /// The density of an architecture.
    #[must_use]
    pub const fn new(architecture: &CategoricalArchitecture) -> Self {
        Self {
            cost: architecture.cost,
            target: architecture.target,
            gumbel_softmax: architecture.gumbel_softmax,
        }
    }

    fn is_cost_of_logits(&self) -> bool {
        matches!(self.cost, CategoricalCost::CrossEntropy | CategoricalCost::JensenShannon)
    }

    /// One-hot classes `[B, categories, classes]` from logits of the same shape.
    fn draw(&self, logits: Tensor<3>, noise: Tensor<3>) -> Tensor<3> {
        let noisy = logits.clone() + noise;
        let relaxed = softmax(if self.gumbel_softmax { noisy.clone() } else { logits }, 2);
        straight_through(noisy, relaxed)
    }
}

/// Logits `[B, categories, classes]` of a prediction.
#[must_use]
pub fn logits(statistics: Statistics) -> Tensor<3> {
    statistics.values.squeeze_dims(&[2, 3])
}

fn given(noise: Option<TransitionNoise>) -> ClassNoise {
    noise
        .and_then(TransitionNoise::classes)
        .expect("classes are drawn: draw their noise with `WorldModel::sample_noise`")
}

impl Density for Categorical {
    fn components(&self) -> usize {
        1
    }

    /// The logit of a class.
    fn statistics(&self) -> usize {
        1
    }

    fn noise(&self, _: [usize; 3], rng: &mut ChaCha8Rng, _: &Device) -> Option<TransitionNoise> {
        let noise = CounterNoise::new(Bound::Uniform, rng);
        Some(TransitionNoise::Classes(ClassNoise::Counter(noise)))
    }

    fn sample(&self, statistics: Statistics, noise: Option<TransitionNoise>) -> Tensor<3> {
        let logits = logits(statistics);
        let noise = given(noise).values(logits.dims(), &logits.device());
        self.draw(logits, noise)
    }

    fn loss_is_sampled(&self) -> bool {
        true
    }

    fn compares_with_current(&self) -> bool {
        self.is_cost_of_logits() && self.target == CostTarget::Parity
    }

    fn mismatch(&self, statistics: Statistics, target: Tensor<3>) -> Option<Tensor<1>> {
        let of_target = summed(log_softmax(logits(statistics), 2) * target);
        Some(-of_target.exp() + 1.0)
    }

    fn loss(&self, statistics: Statistics, target: TransitionTarget) -> Tensor<1> {
        let TransitionTarget { latents, rows, noise, .. } = target;
        let logits = repeated(rows, logits(statistics));
        let categories = logits.dims()[1] as f32;
        let noise = given(noise).values(logits.dims(), &logits.device());
        match self.cost {
            CategoricalCost::L2 => {
                let sample = self.draw(logits, noise);
                smooth_l1_distance(sample.flatten(1, 2), latents.flatten(1, 2)) / categories
            }
            CategoricalCost::Hamming => {
                let agreement = summed(self.draw(logits, noise) * latents);
                (-agreement + categories) / categories
            }
            CategoricalCost::CrossEntropy => summed(log_softmax(logits + noise, 2) * latents).neg(),
            CategoricalCost::JensenShannon => jensen_shannon(softmax(logits + noise, 2), latents),
        }
    }
}

/// Sum over categories and classes, `[B]`.
fn summed(values: Tensor<3>) -> Tensor<1> {
    values.flatten::<2>(1, 2).sum_dim(1).squeeze_dim(1)
}

/// `sum_category sqrt(JS(p, q))`, `[B]`, of probabilities p and one-hot targets q.
///
/// As q is moved into the open interval (0, 1), no gradient flows into it: it is at the edge
/// everywhere.
fn jensen_shannon(p: Tensor<3>, q: Tensor<3>) -> Tensor<1> {
    let q = q.detach().clamp(MARGIN, 1.0 - MARGIN);
    let log_of_mean = ((p.clone() + q.clone()) * 0.5 + SMALL).log();
    let divergence = |x: Tensor<3>| {
        let counted = x.clone().greater_elem(SMALL).float();
        (x.clone() * counted * ((x + SMALL).log() - log_of_mean.clone())).sum_dim(2)
    };
    let divergence: Tensor<2> = ((divergence(p) + divergence(q)) * 0.5).squeeze_dim(2);
    // Where the divergence is 0 the root is 0 and has no slope.
    let counted = divergence.clone().greater_elem(SMALL);
    let root = divergence.mask_fill(counted.clone().bool_not(), 1.0).sqrt();
    (root * counted.float()).sum_dim(1).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::rng::{Stream, stream};

    use super::*;

    #[test]
    fn a_mismatch_is_one_minus_the_probability_of_the_latent() {
        let device = Device::flex();
        let density = Categorical {
            cost: CategoricalCost::L2,
            target: CostTarget::Next,
            gumbel_softmax: false,
        };
        // Two categories with probabilities (1/4, 3/4) and (1/2, 1/2).
        let values = Tensor::<3>::from_floats([[[0.0, 3.0_f32.ln()], [1.0, 1.0]]], &device);
        let statistics = Statistics {
            values: values.reshape([1, 2, 1, 1, 2]),
            weights: Tensor::ones([1, 1], &device),
        };
        let target = Tensor::<3>::from_floats([[[0.0, 1.0], [1.0, 0.0]]], &device);
        let found = density.mismatch(statistics, target).expect("categorical");
        let found: f32 = found.into_scalar();
        assert!((found - 0.625).abs() < 1e-6, "{found}");
    }

    #[test]
    fn classes_are_drawn_with_their_probabilities() {
        let device = Device::flex();
        let (count, logits) = (20_000, [0.0_f32, 1.0, -1.0]);
        let total: f32 = logits.iter().map(|x| x.exp()).sum();
        let all = Tensor::<3>::from_floats([[logits]], &device).repeat_dim(0, count);
        for gumbel_softmax in [false, true] {
            let cost = CategoricalCost::L2;
            let density = Categorical { cost, target: CostTarget::Next, gumbel_softmax };
            let noise = density.noise([count, 1, 3], &mut stream(1, Stream::Noise), &device);
            let values = all.clone().reshape([count, 1, 1, 1, 3]);
            let statistics = Statistics { values, weights: Tensor::ones([count, 1], &device) };
            let drawn = density.sample(statistics, noise);
            let shares: Vec<f32> = drawn.mean_dim(0).into_data().try_to_vec().expect("f32");
            for (share, logit) in shares.iter().zip(logits) {
                assert!((share - logit.exp() / total).abs() < 0.01, "{shares:?}");
            }
        }
    }
}
