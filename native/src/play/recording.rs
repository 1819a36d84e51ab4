//! One recorded game, with the agent's policy, values and losses for every step.

use anyhow::{Context, Result};
use burn::tensor::{Tensor, TensorData};
use deepspi_core::algorithm::deep_spi::batch_view;
use deepspi_core::data::rollout::Rollout;
use deepspi_core::read_floats;
use deepspi_core::returns::gae;
use deepspi_run::batch_view::BatchView;
use deepspi_worlds::atari::Console as _;
use deepspi_worlds::env::VectorEnv as _;
use deepspi_worlds::rng::{Stream, stream};

use crate::evaluate::agent::Agent;
use crate::terminal::CountBar;
use crate::worlds::{AtariGame, End};

/// The state before a step, and the results of the step.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// `[210, 160]`: the screen as palette indices.
    pub screen: Vec<u8>,
    /// `[84, 84]`: the newest frame of the observation.
    pub seen: Vec<u8>,
    /// `[A]`
    pub probabilities: Vec<f32>,
    /// V(s).
    pub value: f32,
    /// Index into the minimal action set.
    pub action: usize,
    /// Reward of the step, as the agent learns from it.
    pub reward: f32,
    /// Sum of the raw rewards before the step.
    pub score: f64,
    /// Lives before the step.
    pub lives: i32,
}

/// A whole game, or its beginning.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    /// Steps in their order.
    pub moments: Vec<Moment>,
    /// A, U and losses of the steps. A is GAE over the whole recording, normalised over it if
    /// training normalises. As in training, a lost life ends an episode for A, because the critic
    /// was trained that way.
    pub view: BatchView,
    /// The world model's reward for each step; `None` without a world model.
    pub predicted: Option<Vec<f32>>,
    /// Sum of all raw rewards.
    pub score: f64,
    /// How the game ended; `None` if it was stopped.
    pub end: Option<End>,
    /// Whether rewards are clipped to their sign.
    pub clipped: bool,
    /// ALE ids of the game's actions, `[A]`.
    pub actions: &'static [u8],
    /// Red, green, blue of palette index `2 i`.
    pub palette: [[u8; 3]; 128],
}

impl Recording {
    /// Plays a game from its start; `seed` determines the draws from the policy.
    ///
    /// # Errors
    /// If the emulator or the device fails.
    pub fn play(
        agent: &Agent,
        mut game: AtariGame,
        seed: u64,
        greedy: bool,
        max_steps: u64,
        progress: &CountBar,
    ) -> Result<Self> {
        let mut draws = stream(seed, Stream::Actions);
        let actions = agent.spec.actions;
        let newest = agent.spec.frame.height * agent.spec.frame.width;
        // Most games are longer; a store of frames grows.
        let mut rollout = Rollout::start(&game, &[false], 1000);
        let (mut moments, mut score) = (Vec::new(), 0.0);
        let (mut values, mut ends) = (Vec::new(), vec![false]);
        while (moments.len() as u64) < max_steps && game.end().is_none() {
            let decision = agent.decide(&[game.observations()])?;
            let chosen = if greedy {
                decision.greedy(actions)
            } else {
                decision.sample(actions, &mut draws)
            };
            let action = chosen.first().copied().context("no action was chosen")?;
            let pixels = game.observations();
            let mut moment = Moment {
                screen: game.env().console().screen().to_vec(),
                seen: pixels[pixels.len() - newest..].to_vec(),
                probabilities: decision.log_probs.iter().map(|x| x.exp()).collect(),
                value: decision.values[0],
                action: action as usize,
                reward: 0.0,
                score,
                lives: game.last().lives,
            };
            game.step(&chosen)?;
            let last = game.last();
            moment.reward = last.reward;
            score += f64::from(last.raw_reward);
            ends.push(last.done || (last.lives > 0 && last.lives < moment.lives));
            values.push(moment.value);
            rollout.push(decision, chosen, &game);
            moments.push(moment);
            progress.advance(1, format!("return {}", points(score)));
        }
        let next = agent.decide(&[game.observations()])?.values;
        values.extend(&next);
        rollout.finish(next);

        let config = &agent.config;
        let targets = gae(rollout.rewards(), &ends, &values, 1, config.gamma, config.gae_lambda);
        let (model, device) = (&agent.model, &agent.device.device);
        let mut noise = stream(seed, Stream::Noise);
        let view = batch_view(model, &rollout, &targets, config, &mut noise, device);
        let view = pollster::block_on(view)?;
        let predicted = if config.uses_world_model() {
            Some(predict(agent, &rollout, &moments)?)
        } else {
            None
        };
        let palette = game.env().console().palette().rgb;
        let actions = game.env().game().actions;
        let (end, clipped) = (game.end(), game.env().options().reward_clip);
        Ok(Self { moments, view, predicted, score, end, clipped, actions, palette })
    }
}

/// A score as text: points are whole numbers, the rewards of the maze are not.
pub(super) fn points(score: f64) -> String {
    if score.fract() == 0.0 { score.to_string() } else { format!("{score:.3}") }
}

/// The reward that the world model predicts for every step.
fn predict(agent: &Agent, rollout: &Rollout, moments: &[Moment]) -> Result<Vec<f32>> {
    let (device, actions) = (&agent.device.device, agent.spec.actions);
    let all: Vec<usize> = (0..moments.len()).collect();
    let mut predicted = Vec::with_capacity(all.len());
    for steps in all.chunks(agent.config.minibatch_size()) {
        let mut one_hot = vec![0.0_f32; steps.len() * actions];
        for (row, &step) in one_hot.chunks_mut(actions).zip(steps) {
            row[moments[step].action] = 1.0;
        }
        let one_hot = TensorData::new(one_hot, [steps.len(), actions]);
        let latents = agent.model.agent.encode(rollout.frames(steps, device));
        let rewards = agent
            .model
            .world_model
            .predict_reward(latents, Tensor::<2>::from_data(one_hot, device));
        predicted.extend(pollster::block_on(read_floats(rewards))?);
    }
    Ok(predicted)
}
