//! An agent that plays and explains its steps, without learning: what it sees in an observation, and
//! what the objective makes of a step that was played.
//!
//! The numbers of a step come from the objective itself, so that a picture of a played step cannot
//! disagree with the loss that training minimises.

use burn::tensor::{Device, Tensor};
use deepspi_run::checkpoint::Checkpoint;
use deepspi_run::config::Config;
use deepspi_run::decision::Decision;
use deepspi_run::dreaming::LookedAhead;
use deepspi_run::network::NetworkSpec;
use deepspi_run::playing::{Perception, StepTerms};
use deepspi_worlds::env::Outcome;
use deepspi_worlds::rng::{Stream, stream};
use rand_chacha::ChaCha8Rng;

use crate::algorithm::deep_spi::{draw_noise, objective};
use crate::checkpoint::{CheckpointError, read_model};
use crate::data::minibatch::{Minibatch, Targets, vector};
use crate::data::rollout::observations;
use crate::dreamer::{RealSteps, SeenLatents, look_ahead};
use crate::model::Model;
use crate::read_floats;

/// One step that was played.
#[derive(Clone, Copy, Debug)]
pub struct PlayedStep<'a> {
    /// The observation before the step, `[C, H, W]`.
    pub observation: &'a [u8],
    /// What the agent saw in it.
    pub perception: &'a Perception,
    /// Whether the episode had ended before the step, which then only returned the next start.
    pub after_end: bool,
    /// The action.
    pub action: u32,
    /// Reward and end.
    pub outcome: Outcome,
    /// The observation after the step, `[C, H, W]`.
    pub next: &'a [u8],
    /// Value of the observation after the step.
    pub next_value: f32,
}

/// A trained agent that plays.
#[derive(Debug)]
pub struct Player {
    model: Model,
    /// The networks before the last update.
    before: Option<Model>,
    spec: NetworkSpec,
    /// Advantages of single steps are not normalised here, so `norm_adv` is off.
    config: Config,
    device: Device,
    noise: ChaCha8Rng,
}

impl Player {
    /// A player with the networks of a checkpoint; only its section [`MODEL`] is needed.
    ///
    /// # Errors
    /// If the checkpoint is of another format, or is damaged.
    ///
    /// [`MODEL`]: deepspi_run::checkpoint::MODEL
    pub fn load(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        let model = read_model(checkpoint, device)?;
        Ok(Self::new(model, &checkpoint.state.config, &checkpoint.state.spec, device))
    }

    /// A player with these networks.
    #[must_use]
    pub fn new(model: Model, config: &Config, spec: &NetworkSpec, device: &Device) -> Self {
        Self {
            model,
            before: None,
            spec: spec.clone(),
            noise: stream(config.seed, Stream::Noise),
            config: Config { norm_adv: false, ..config.clone() },
            device: device.clone(),
        }
    }

    /// Takes the networks of another player; those of this one become the networks before the
    /// update, if they are of the same kind.
    #[must_use]
    pub fn updated(self, next: Self) -> Self {
        let before = (self.spec == next.spec).then_some(self.model);
        Self { before, ..next }
    }

    /// Size of an observation and of the action set.
    #[must_use]
    pub const fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// What the agent sees in one observation `[C, H, W]`.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn perceive(&self, pixels: &[u8]) -> Result<Perception, crate::Error> {
        let actions = self.spec.actions;
        let input = observations(self.spec.frame, 1, &self.device, |_| pixels);
        let (latents, output) = self.model.agent.perceive(input.clone());
        let mut parts = vec![output.values(), flat(output.logits())];
        if let Some(before) = &self.before {
            parts.push(flat(before.agent.perceive(input).1.logits()));
        }
        if self.config.uses_world_model() {
            let one_hot = Tensor::<2>::eye(actions, &self.device);
            let repeated = latents.clone().repeat_dim(0, actions);
            parts.push(self.model.world_model.predict_reward(repeated, one_hot));
        }
        let size = latents.shape().num_elements();
        parts.push(latents.reshape([size]));
        let values = read_floats(Tensor::cat(parts, 0)).await?;

        let (value, mut rest) = values.split_at(1);
        let mut next = |len: usize| {
            let (part, others) = rest.split_at(len);
            rest = others;
            part
        };
        let log_probs =
            |logits: &[f32]| Decision::from_logits(logits, Vec::new(), actions).log_probs;
        let now = log_probs(next(actions));
        let ratios = self.before.as_ref().map(|_| {
            let before = log_probs(next(actions));
            now.iter().zip(before).map(|(now, before)| (now - before).exp()).collect()
        });
        let predicted_rewards = self.config.uses_world_model().then(|| next(actions).to_vec());
        Ok(Perception {
            log_probs: now,
            value: value[0],
            ratios,
            predicted_rewards,
            latent: next(size).to_vec(),
        })
    }

    /// Whether it can look into its world model ([`Self::look_ahead`]).
    #[must_use]
    pub fn can_imagine(&self) -> bool {
        self.config.can_imagine()
    }

    /// Imagines steps that were played, from the first observation of them.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn look_ahead(
        &mut self,
        real: &RealSteps<'_>,
        seen: &SeenLatents,
    ) -> Result<LookedAhead, crate::Error> {
        let gamma = self.config.gamma;
        let (noise, device) = (&mut self.noise, &self.device);
        look_ahead(&self.model, self.spec.frame, real, seen, gamma, noise, device).await
    }

    /// Discount factor of the agent.
    #[must_use]
    pub const fn gamma(&self) -> f32 {
        self.config.gamma
    }

    /// What the objective makes of a step that was played. The advantage is that of one step,
    /// `r + gamma V(s') - V(s)`, not normalised.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn terms(&mut self, step: PlayedStep<'_>) -> Result<StepTerms, crate::Error> {
        let outcome = step.outcome;
        let after = if outcome.done { 0.0 } else { self.config.gamma * step.next_value };
        let advantage = outcome.reward + after - step.perception.value;
        let with_next = self.config.uses_world_model();
        let pictures = [step.observation, step.next];
        let count = 1 + usize::from(with_next);
        let action = step.action as usize;
        let one = |value: f32| vector(vec![value], &self.device);
        let batch = Minibatch {
            observations: observations(self.spec.frame, count, &self.device, |i| pictures[i]),
            sharing: None,
            actions: Tensor::<2>::eye(self.spec.actions, &self.device).narrow(0, action, 1),
            targets: Targets {
                log_probs: vec![step.perception.log_probs[action]],
                advantages: vec![advantage],
                returns: vec![advantage + step.perception.value],
                actions: vec![step.action],
            }
            .upload(&self.device),
            rewards: one(outcome.reward),
            dones: one(f32::from(u8::from(step.after_end))),
            noise: draw_noise(&self.model, &self.config, 1, &mut self.noise, &self.device),
            penalty: None,
            ends: None,
        };
        let terms = objective(&self.model, &batch, &self.config);
        let mut parts = vec![terms.utilities];
        parts.extend(terms.reward);
        parts.extend(terms.transition);
        let values = read_floats(Tensor::cat(parts, 0)).await?;
        Ok(StepTerms {
            advantage,
            utility: values[0],
            reward_loss: values.get(1).copied(),
            transition_loss: values.get(2).copied(),
        })
    }
}

/// A row of a batch of one.
fn flat(row: Tensor<2>) -> Tensor<1> {
    row.squeeze_dim(0)
}

#[cfg(test)]
mod tests {
    use deepspi_run::config::{Algorithm, TransitionDensity};
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::env::VectorEnv as _;
    use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs, MazePreset};

    use super::*;
    use crate::algorithm::deep_spi::batch_view;
    use crate::data::rollout::Rollout;
    use crate::trainer::Trainer;

    const PRESET: MazePreset = MazePreset::Small;

    fn config(algo: Algorithm) -> Config {
        let mut config = Config {
            algo,
            num_envs: 8,
            num_steps: 16,
            norm_adv: false,
            ..PRESET.hyper_parameters()
        };
        config.world_model.transition_density = TransitionDensity::Deterministic;
        config
    }

    fn maze() -> Maze {
        Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid")
    }

    /// A trainer after `iterations` iterations, and its checkpoint.
    fn trained(algo: Algorithm, iterations: usize) -> (Trainer, Checkpoint) {
        let (config, device) = (config(algo), Device::flex());
        let mut trainer = Trainer::new(config, PRESET.network(), &device).expect("valid");
        let mut env = MazeEnvs::new(maze(), 8, 1);
        for _ in 0..iterations {
            pollster::block_on(trainer.iterate(&mut env, |_| ())).expect("trains");
        }
        let checkpoint = pollster::block_on(trainer.checkpoint()).expect("stored");
        (trainer, checkpoint)
    }

    fn load(mut checkpoint: Checkpoint) -> Player {
        checkpoint.sections.retain(|section| section.name == deepspi_run::checkpoint::MODEL);
        Player::load(&checkpoint, &Device::flex()).expect("the networks suffice")
    }

    #[test]
    fn networks_alone_are_those_of_the_checkpoint() {
        let (trainer, checkpoint) = trained(Algorithm::DeepSpi, 1);
        let networks = pollster::block_on(trainer.networks()).expect("stored");
        let name = deepspi_run::checkpoint::MODEL;
        assert_eq!(networks.sections.len(), 1);
        assert_eq!(networks.section(name), checkpoint.section(name));
        assert!(networks.section(name).is_some() && networks.state == checkpoint.state);
    }

    #[test]
    fn ratios_compare_the_policy_with_the_one_before_the_update() {
        let [(_, first), (_, second)] = [1, 2].map(|count| trained(Algorithm::DeepSpi, count));
        let frame = maze().frame(maze().start());
        let old = load(first.clone());
        let before = pollster::block_on(old.perceive(&frame)).expect("computed");
        assert_eq!(before.ratios, None);
        assert_eq!(before.predicted_rewards.as_ref().map(Vec::len), Some(4));
        let new = old.updated(load(second));
        let after = pollster::block_on(new.perceive(&frame)).expect("computed");
        for action in 0..4 {
            let expected = (after.log_probs[action] - before.log_probs[action]).exp();
            let found = after.ratios.as_ref().expect("it was updated")[action];
            assert!((found - expected).abs() < 1e-6 && found != 1.0, "{found} {expected}");
        }
        let sum: f32 = after.log_probs.iter().map(|x| x.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }

    #[test]
    fn terms_of_a_played_step_are_those_of_the_batch_in_training() {
        for algo in [Algorithm::Ppo, Algorithm::DeepMdp, Algorithm::DeepSpi] {
            let (trainer, checkpoint) = trained(algo, 1);
            let (config, device) = (trainer.config().clone(), Device::flex());
            let mut player = load(checkpoint);
            let (mut env, mut done) = (MazeEnvs::new(maze(), 1, 1), false);
            // Right up to the exit, and the fake step after it.
            for _ in 0..8 {
                let mut rollout = Rollout::start(&env, &[done], 1);
                let observation = env.observations().to_vec();
                let seen = pollster::block_on(player.perceive(&observation)).expect("computed");
                env.step(&[3]);
                let next = pollster::block_on(player.perceive(env.observations()));
                let next_value = next.expect("computed").value;
                let step = PlayedStep {
                    observation: &observation,
                    perception: &seen,
                    after_end: done,
                    action: 3,
                    outcome: env.outcomes()[0],
                    next: env.observations(),
                    next_value,
                };
                let found = pollster::block_on(player.terms(step)).expect("computed");

                let values = vec![seen.value];
                let decision = Decision { log_probs: seen.log_probs.clone(), values };
                rollout.push(decision, vec![3], &env);
                rollout.finish(vec![next_value]);
                let targets = rollout.advantages(config.gamma, config.gae_lambda);
                let mut rng = stream(1, Stream::Noise);
                let model = trainer.policy();
                let view = batch_view(&model, &rollout, &targets, &config, &mut rng, &device);
                let view = pollster::block_on(view).expect("computed");
                let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-5, "{algo:?}: {a} {b}");
                near(found.advantage, view.advantage[0]);
                near(found.utility, view.utility[0]);
                assert_eq!(found.reward_loss.is_some(), view.losses.is_some());
                if let (Some(l_r), Some(l_p), Some(losses)) =
                    (found.reward_loss, found.transition_loss, view.losses)
                {
                    near(l_r, losses.reward[0]);
                    near(l_p, losses.transition[0]);
                    let predicted = seen.predicted_rewards.expect("a world model")[3];
                    assert!(predicted.is_finite());
                }
                done = env.outcomes()[0].done;
            }
            assert!(!done, "the fake step was played too");
        }
    }
}
