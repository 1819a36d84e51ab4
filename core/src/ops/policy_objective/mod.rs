//! The objective's terms that depend on policy, value and auxiliary losses of a minibatch, as one
//! operation: log-probabilities, importance ratios, normalised advantages, clip or drift, entropy and
//! value loss, with all metrics of an update.
//!
//! As separate tensor operations they are a hundred kernels on vectors of a few hundred numbers; one
//! workgroup computes them all, and their gradients with them. [`composed`] is the definition.

mod cpu;
#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::autodiff::{
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch, TensorMetadata, backend_extension,
    tensor::FloatTensor,
};
#[cfg(feature = "gpu")]
use burn::cubecl::{self, prelude::*};
use burn::tensor::Tensor;
use deepspi_run::config::{Auxiliary, Config, Objective, ValueLoss};

use crate::loss::{entropy, log_prob_of, normalise, policy_loss, value_loss};
use crate::ops::ALIGNMENT;
use crate::ops::join::part;

/// What the operation computes from B samples with A actions.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Logits and value, `[B, A + 1]`.
    pub outputs: Tensor<2>,
    /// l_P and l_R, `[B]` each; none without a world model.
    pub auxiliary: Option<(Tensor<1>, Tensor<1>)>,
    /// Constants `[4, B]`: log-probability of the chosen action under the behaviour policy, advantage,
    /// return, index of the chosen action.
    pub targets: Tensor<2>,
}

/// The objective of a minibatch.
#[derive(Clone, Debug)]
pub struct PolicyObjective {
    /// Total loss `[1]`; gradients flow from it into outputs and auxiliary losses.
    pub total: Tensor<1>,
    /// Means of the minibatch, `[64]`, in the order of [`Mean`]; the rest is padding.
    pub means: Tensor<1>,
    /// The factor of the importance ratio, `[B]`: U of Eq. 6 for DeepSPI, else the advantage.
    pub utilities: Tensor<1>,
    /// Importance ratios `[B]` of the chosen actions.
    pub ratios: Tensor<1>,
    /// Entropy of the policy, `[B]`.
    pub entropy: Tensor<1>,
}

/// Index of a quantity in [`PolicyObjective::means`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Mean {
    /// Total loss.
    Loss = 0,
    /// Policy loss.
    Policy,
    /// Value loss: half the mean squared error, or Huber's.
    Value,
    /// Entropy.
    Entropy,
    /// `(r - 1) - log r`.
    ApproxKl,
    /// Share of the samples whose ratio is outside the clip range.
    ClipFraction,
    /// Drift of the policy loss.
    Drift,
    /// l_P.
    Transition,
    /// l_R.
    Reward,
}

/// Coefficients and switches.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Settings {
    clip: f32,
    entropy: f32,
    value: f32,
    /// Factor of the drift in the drift objective; none for the clip.
    drift: Option<f32>,
    normalise: bool,
    /// Whether the value loss is Huber's.
    huber: bool,
    auxiliary: Auxiliary,
    reward: f32,
    transition: f32,
}

impl Settings {
    fn of(config: &Config, has_auxiliary: bool) -> Self {
        let (reward, transition) = config.auxiliary_coefficients();
        Self {
            clip: config.clip_coef,
            entropy: config.ent_coef,
            value: config.vf_coef,
            drift: match config.objective {
                Objective::Clip => None,
                Objective::Drift => Some(config.drift_coef),
            },
            normalise: config.norm_adv,
            huber: config.value_loss == ValueLoss::Huber,
            auxiliary: if has_auxiliary { config.algo.info().auxiliary } else { Auxiliary::Absent },
            reward,
            transition,
        }
    }
}

/// Places in the packed result; every part starts at a multiple of [`ALIGNMENT`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "gpu", derive(CubeType))]
struct Places {
    utilities: usize,
    ratios: usize,
    entropy: usize,
    /// Gradient of the outputs, `[B, A + 1]`.
    outputs: usize,
    /// Gradient of the sum of the weighted auxiliary losses, `[B]`.
    auxiliary: usize,
    len: usize,
}

/// The places for a batch, for the host and, inside a kernel, for a GPU.
#[cfg_attr(feature = "gpu", cube)]
fn places(batch: usize, actions: usize) -> Places {
    let part = batch.div_ceil(ALIGNMENT) * ALIGNMENT;
    let table = (batch * (actions + 1)).div_ceil(ALIGNMENT) * ALIGNMENT;
    let ratios = part + ALIGNMENT;
    let entropy = ratios + part;
    let outputs = entropy + part;
    let auxiliary = outputs + table;
    Places { utilities: ratios - part, ratios, entropy, outputs, auxiliary, len: auxiliary + part }
}

/// The objective of a minibatch (docs/deepspi.md, section 2.2, details 7 to 16).
#[must_use]
pub fn policy_objective(inputs: Inputs, config: &Config) -> PolicyObjective {
    let Inputs { outputs, auxiliary, targets } = inputs;
    let [batch, width] = outputs.dims();
    let settings = Settings::of(config, auxiliary.is_some());
    let (transition, reward) = auxiliary.unwrap_or_else(|| {
        // Nobody reads them.
        let nothing = Tensor::empty([1], &outputs.device());
        (nothing.clone(), nothing)
    });
    let (total, packed) = <Dispatch as ObjectiveOp>::objective(
        outputs.into_dispatch(),
        transition.into_dispatch(),
        reward.into_dispatch(),
        targets.into_dispatch(),
        settings,
    );
    let packed = Tensor::<1>::from_dispatch(packed);
    let plain = packed.clone().inner();
    let part = |start, len| {
        let part = part(&plain, start, [len]);
        if packed.is_autodiff() { part.autodiff() } else { part }
    };
    let places = places(batch, width - 1);
    PolicyObjective {
        total: Tensor::from_dispatch(total),
        means: part(0, ALIGNMENT),
        utilities: part(places.utilities, batch),
        ratios: part(places.ratios, batch),
        entropy: part(places.entropy, batch),
    }
}

/// Dispatches [`policy_objective`] to the backend that holds the tensors.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
trait ObjectiveOp: Backend {
    /// The total loss `[1]` and the packed result; see [`Places`].
    fn objective(
        outputs: FloatTensor<Self>,
        transition: FloatTensor<Self>,
        reward: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        settings: Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// Value and gradient on one backend.
trait ObjectiveKernels: ObjectiveOp {
    /// Gradients of outputs `[B, A + 1]`, l_P and l_R `[B]` from the packed result and the gradient
    /// `[1]` of the total; `shape` is that of the outputs.
    fn objective_grads(
        packed: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        shape: [usize; 2],
        settings: Settings,
    ) -> [FloatTensor<Self>; 3];
}

impl<B: ObjectiveKernels, C: CheckpointStrategy> ObjectiveOp for Autodiff<B, C> {
    fn objective(
        outputs: FloatTensor<Self>,
        transition: FloatTensor<Self>,
        reward: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        settings: Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let parents = [outputs.node(), transition.node(), reward.node()];
        let shape: [usize; 2] = outputs.shape().dims();
        let (total, packed) = B::objective(
            outputs.into_primitive(),
            transition.into_primitive(),
            reward.into_primitive(),
            targets.into_primitive(),
            settings,
        );
        let total = match ObjectiveBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((packed.clone(), shape, settings), total),
            OpsKind::UnTracked(prep) => prep.finish(total),
        };
        (total, Self::from_inner(packed))
    }
}

#[derive(Debug)]
struct ObjectiveBackward;

impl<B: ObjectiveKernels> Backward<B, 3> for ObjectiveBackward {
    type State = (FloatTensor<B>, [usize; 2], Settings);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (packed, shape, settings) = ops.state;
        let all = B::objective_grads(packed, grad, shape, settings);
        for (node, grad) in ops.parents.into_iter().zip(all) {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

/// [`policy_objective`] as plain tensor operations.
#[must_use]
pub fn composed(inputs: Inputs, config: &Config) -> PolicyObjective {
    let Inputs { outputs, auxiliary, targets } = inputs;
    let [batch, width] = outputs.dims();
    let logits = outputs.clone().narrow(1, 0, width - 1);
    let values: Tensor<1> = outputs.narrow(1, width - 1, 1).squeeze_dim(1);
    let device = values.device();
    let row = |i: usize| targets.clone().narrow(0, i, 1).reshape([batch]);
    let numbers = Tensor::<1, burn::tensor::Int>::arange(0..logits.dims()[1] as i64, &device);
    let chosen = row(3).unsqueeze_dim::<2>(1).equal(numbers.float().unsqueeze_dim(0)).float();

    let (log_probs, entropy) = entropy(logits);
    let log_ratios = log_prob_of(chosen, log_probs) - row(0);
    let ratios = log_ratios.clone().exp();
    let advantages = if config.norm_adv { normalise(row(1)).0 } else { row(1) };
    let (reward_coef, transition_coef) = config.auxiliary_coefficients();
    let weighted = auxiliary
        .clone()
        .map(|(transition, reward)| reward * reward_coef + transition * transition_coef);
    // The only place where the algorithms differ: the auxiliary loss is inside the clip, outside
    // it, or absent.
    let (utilities, outside) = match (config.algo.info().auxiliary, weighted) {
        (Auxiliary::InsideClip, Some(weighted)) => (advantages - weighted, None),
        (Auxiliary::OutsideClip, Some(weighted)) => (advantages, Some(weighted.mean())),
        (_, None) | (Auxiliary::Absent, _) => (advantages, None),
    };
    let surrogate = policy_loss(utilities.clone(), ratios.clone(), config);
    let value = value_loss(values, row(2), config);
    let mut total = surrogate.loss.clone() - entropy.clone().mean() * config.ent_coef
        + value.clone() * config.vf_coef;
    if let Some(outside) = outside {
        total = total + outside;
    }
    let zero = total.zeros_like();
    let (transition, reward) = auxiliary
        .map_or((zero.clone(), zero), |(transition, reward)| (transition.mean(), reward.mean()));
    let means = vec![
        total.clone(),
        surrogate.loss,
        value,
        entropy.clone().mean(),
        (ratios.clone() - 1.0 - log_ratios).mean(),
        (ratios.clone() - 1.0).abs().greater_elem(config.clip_coef).float().mean(),
        surrogate.drift,
        transition,
        reward,
    ];
    PolicyObjective { total, means: Tensor::cat(means, 0), utilities, ratios, entropy }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use deepspi_run::config::Algorithm;

    use super::*;
    use crate::data::minibatch::Targets;
    use crate::golden::fill::fill;
    use crate::traffic::upload;

    /// The results, then the gradients of outputs, l_P and l_R.
    fn value_and_gradients(
        compute: fn(Inputs, &Config) -> PolicyObjective,
        config: &Config,
        batch: usize,
    ) -> Vec<Vec<f32>> {
        const ACTIONS: usize = 5;
        let device = Device::flex().autodiff();
        let leaf = |seed| upload(fill(seed, batch, 0.0, 2.0), [batch], &device).require_grad();
        let outputs = fill(1, batch * (ACTIONS + 1), -1.0, 1.0);
        let outputs = upload(outputs, [batch, ACTIONS + 1], &device).require_grad();
        let [transition, reward] = [3, 4].map(leaf);
        let targets = Targets {
            log_probs: fill(5, batch, -2.2, -1.0),
            advantages: fill(6, batch, -2.0, 2.0),
            returns: fill(7, batch, -1.0, 3.0),
            actions: (0..batch as u32).map(|i| i % ACTIONS as u32).collect(),
        };
        let auxiliary = config.uses_world_model().then(|| (transition.clone(), reward.clone()));
        let inputs =
            Inputs { outputs: outputs.clone(), auxiliary, targets: targets.upload(&device) };
        let PolicyObjective { total, means, utilities, ratios, entropy } = compute(inputs, config);
        let read = |x: Tensor<1>| x.into_data().try_to_vec::<f32>().expect("f32");
        let mut all: Vec<Vec<f32>> = [utilities, ratios, entropy].map(|x| read(x.inner())).to_vec();
        all.push(read(means.inner())[..=Mean::Reward as usize].to_vec());
        let grads = total.backward();
        all.push(read(outputs.grad(&grads).expect("tracked").flatten(0, 1)));
        let given = [transition, reward];
        all.extend(given.iter().filter_map(|x| x.grad(&grads)).map(read));
        all
    }

    #[test]
    fn the_kernel_is_the_definition_in_value_and_gradient() {
        let with = |algo, objective, norm_adv| {
            let mut config = Config { algo, objective, norm_adv, ..Config::default() };
            config.drift_coef = 2.5;
            config.world_model.reward_loss_coef = 0.5;
            config.world_model.transition_loss_coef = 0.2;
            config
        };
        for algo in [Algorithm::Ppo, Algorithm::DeepMdp, Algorithm::DeepSpi] {
            for objective in [Objective::Clip, Objective::Drift] {
                for (norm_adv, batch) in [(true, 70), (false, 1)] {
                    let mut config = with(algo, objective, norm_adv);
                    if objective == Objective::Drift {
                        config.value_loss = ValueLoss::Huber;
                    }
                    let found = value_and_gradients(policy_objective, &config, batch);
                    let expected = value_and_gradients(composed, &config, batch);
                    assert_eq!(found.len(), expected.len());
                    assert_eq!(found.len(), if algo == Algorithm::Ppo { 5 } else { 7 });
                    for (which, (found, expected)) in found.iter().zip(&expected).enumerate() {
                        let largest = expected.iter().fold(1e-3_f32, |m, x| m.max(x.abs()));
                        for (a, b) in found.iter().zip(expected) {
                            let what = format!("{algo:?} {objective:?} {batch}: part {which}");
                            assert!((a - b).abs() < 1e-5 * largest, "{what}: {a} {b}");
                        }
                    }
                }
            }
        }
    }
}
