//! The gradient penalty of a minibatch: where it is taken (docs/deepspi.md, section 4.4).

use burn::tensor::{Device, Int, Tensor};
use deepspi_run::config::{Config, GradientPenalty};
use rand_chacha::ChaCha8Rng;

use crate::model::Model;
use crate::world_model::penalty::{PenaltyNoise, Points, Wanted};

/// Penalties `[1]` of transition and reward, not weighted. `latents` and `next` are `[B, h, w, c]`, the
/// latter with the latent itself after an end; `actions` are one-hot.
#[must_use]
pub fn gradient_penalty(
    model: &Model,
    latents: Tensor<4>,
    next: Tensor<4>,
    actions: Tensor<2>,
    noise: &PenaltyNoise,
) -> Option<[Tensor<1>; 2]> {
    let here = Points { latents: latents.detach(), actions };
    let world_model = &model.world_model;
    let (points, wanted) = match &noise.between {
        None => ([here.clone(), here], Wanted::Zero),
        Some(between) => {
            let imagined = world_model.average_sample(here, between.imagined.clone())?.detach();
            let both = [next.detach(), imagined];
            let act = |i: usize| {
                let logits = model.agent.policy_logits(both[i].clone()).detach();
                one_hot_of_largest(logits + between.actions[i].clone())
            };
            let chosen = [act(0), act(1)];
            let points = between.shares.each_ref().map(|share| mixed(&both, &chosen, share));
            (points, Wanted::One)
        }
    };
    let [transition, reward] = points;
    Some([
        world_model.transition_penalty(transition, &noise.sample, wanted)?,
        world_model.reward_penalty(reward, wanted)?,
    ])
}

/// Points between two latents; the action is that of the nearer one.
fn mixed(latents: &[Tensor<4>; 2], actions: &[Tensor<2>; 2], share: &Tensor<1>) -> Points {
    let batch = share.dims()[0];
    let of_latents = share.clone().reshape([batch, 1, 1, 1]);
    let first = share.clone().greater_elem(0.5).float().reshape([batch, 1]);
    let [a, b] = latents.clone();
    let [first_action, second_action] = actions.clone();
    Points {
        latents: a * of_latents.clone() + b * (-of_latents + 1.0),
        actions: first_action * first.clone() + second_action * (-first + 1.0),
    }
}

fn one_hot_of_largest(scores: Tensor<2>) -> Tensor<2> {
    let (choices, device) = (scores.dims()[1], scores.device());
    let numbers = Tensor::<1, Int>::arange(0..choices as i64, &device);
    scores.argmax(1).equal(numbers.unsqueeze_dim(0)).float()
}

/// The random numbers of a minibatch's penalty; none if there is no penalty.
#[must_use]
pub fn draw_penalty_noise(
    model: &Model,
    config: &Config,
    [batch, actions]: [usize; 2],
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Option<PenaltyNoise> {
    if !config.has_gradient_penalty() {
        return None;
    }
    let actions = (config.world_model.gradient_penalty == GradientPenalty::Wgan).then_some(actions);
    Some(PenaltyNoise::draw(&model.world_model, batch, actions, rng, device))
}
