//! One rollout of real frames, and updates of a learner on it.

use std::time::Instant;

use anyhow::Result;
use burn::tensor::{Device, Tensor};
use deepspi_core::algorithm::deep_spi::{Learner, draw_noise, draw_penalty_noise};
use deepspi_core::algorithm::dream_spi::imagination::{Dream, Ends, StepNoise};
use deepspi_core::collect::decide;
use deepspi_core::data::minibatch::vector;
use deepspi_core::data::rollout::Rollout;
use deepspi_core::model::Model;
use deepspi_core::ops::memory::device_memory;
use deepspi_core::read_floats;
use deepspi_run::config::Config;
use deepspi_run::decision::Decision;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::{self, VectorEnv};
use deepspi_worlds::rng::Generators;

use super::timing::{milliseconds, quartiles};
use crate::run::output::resident_memory_mb;
use crate::stats::Quartiles;

/// The decision of a policy without preferences.
fn random_decision(num_envs: usize, actions: usize) -> Decision {
    Decision::from_logits(&vec![0.0; num_envs * actions], vec![0.0; num_envs], actions)
}

/// One rollout of real frames, and a learner that is updated on it.
pub(super) struct UpdateBench {
    config: Config,
    spec: NetworkSpec,
    device: Device,
    learner: Learner,
    rollout: Rollout,
    generators: Generators,
}

impl UpdateBench {
    pub(super) fn new(
        config: &Config,
        spec: &NetworkSpec,
        device: &Device,
        envs: &mut dyn VectorEnv,
    ) -> Result<Self> {
        let mut generators = Generators::new(config.seed);
        let mut rollout = Rollout::start(envs, &vec![false; config.num_envs], config.num_steps);
        let random = random_decision(config.num_envs, spec.actions);
        for _ in 0..config.num_steps {
            let actions = random.sample(spec.actions, &mut generators.actions);
            pollster::block_on(env::step(envs, &actions))?;
            rollout.push(random.clone(), actions, envs);
        }
        rollout.finish(random.values);
        Ok(Self {
            learner: Learner::new(Model::new(spec, config, device), config),
            config: config.clone(),
            spec: spec.clone(),
            device: device.clone(),
            rollout,
            generators,
        })
    }

    /// A rollout of one step, whose last observations the device does not have yet.
    pub(super) fn one_step(&mut self, envs: &mut dyn VectorEnv) -> Result<Rollout> {
        let num_envs = self.config.num_envs;
        let mut rollout = Rollout::start(envs, &vec![false; num_envs], self.config.num_steps);
        let all: Vec<usize> = (0..num_envs).collect();
        drop(rollout.frames(&all, &self.device));
        let actions = self.spec.actions;
        let random = random_decision(num_envs, actions);
        let chosen = random.sample(actions, &mut self.generators.actions);
        pollster::block_on(env::step(envs, &chosen))?;
        rollout.push(random, chosen, envs);
        Ok(rollout)
    }

    /// Milliseconds of one forward pass of policy and value for the last observations of a rollout.
    pub(super) fn forward_once(&self, rollout: &Rollout) -> Result<f64> {
        let model = self.learner.plain();
        let start = Instant::now();
        pollster::block_on(decide(&model, rollout, self.spec.actions, &self.device))?;
        Ok(milliseconds(start))
    }

    pub(super) fn forward(&mut self, envs: &mut dyn VectorEnv, repeats: u64) -> Result<Quartiles> {
        const WARM_UP: usize = 2;
        let mut forward = || {
            let rollout = self.one_step(envs)?;
            self.forward_once(&rollout)
        };
        for _ in 0..WARM_UP {
            forward()?;
        }
        quartiles((0..repeats).map(|_| forward()))
    }

    /// Milliseconds of one update; `round` chooses the minibatch.
    pub(super) fn update_once(&mut self, round: usize) -> Result<f64> {
        let config = &self.config;
        let targets = self.rollout.advantages(config.gamma, config.gae_lambda);
        let lifted = self.device.clone().autodiff();
        let start = Instant::now();
        let size = config.minibatch_size();
        let indices: Vec<usize> =
            (0..size).map(|i| (i * config.num_minibatches + round) % self.rollout.len()).collect();
        let mut batch =
            self.rollout.minibatch(&indices, &targets, config.uses_world_model(), &lifted);
        let (model, rng) = (self.learner.trainable(), &mut self.generators.noise);
        batch.noise = draw_noise(model, config, size, rng, &lifted);
        let shape = [size, self.spec.actions];
        batch.penalty = draw_penalty_noise(model, config, shape, rng, &lifted);
        if config.has_done_predictor() {
            let ends = self.rollout.ends(&indices, config.world_model.done_labels);
            batch.ends = Some(vector(ends, &lifted));
        }
        let (learner, pending) = self.learner.clone().update(&batch, config, &[2.5e-4]);
        self.learner = learner;
        pollster::block_on(pending.read())?;
        Ok(milliseconds(start))
    }

    pub(super) fn updates(&mut self, repeats: u64) -> Result<Quartiles> {
        const WARM_UP: usize = 3;
        for round in 0..WARM_UP {
            self.update_once(round)?;
        }
        quartiles((0..repeats as usize).map(|round| self.update_once(round)))
    }

    /// Seconds of one imagined rollout from all states of the rollout, whose latents are known.
    pub(super) fn imagined_once(&mut self, start: &Tensor<4>) -> Result<f64> {
        let (model, config) = (self.learner.plain(), &self.config);
        let size = [start.dims()[0], self.spec.actions];
        let (device, rng) = (&self.device, &mut self.generators.noise);
        let horizon = config.dream.imagination_horizon;
        let begin = Instant::now();
        let dream = Dream::from(&model, start.clone(), horizon, Ends::of(config), |_| {
            StepNoise::draw(&model, size, rng, device)
        });
        let targets = dream.targets(config.gamma, config.gae_lambda);
        pollster::block_on(read_floats(dream.policy_targets(targets)))?;
        Ok(begin.elapsed().as_secs_f64())
    }

    /// Latents of all states of the rollout.
    pub(super) fn latents(&self) -> Tensor<4> {
        let model = self.learner.plain();
        let all: Vec<usize> = (0..self.rollout.len()).collect();
        let parts = all.chunks(self.config.minibatch_size());
        let parts = parts.map(|part| model.agent.encode(self.rollout.frames(part, &self.device)));
        Tensor::cat(parts.collect(), 0)
    }

    /// Latent steps per second of imagined rollouts.
    pub(super) fn imagination(&mut self, repeats: u64) -> Result<Quartiles> {
        let start = self.latents();
        let steps = (start.dims()[0] * self.config.dream.imagination_horizon) as f64;
        self.imagined_once(&start)?;
        quartiles((0..repeats).map(|_| Ok(steps / self.imagined_once(&start)?)))
    }

    /// Growth of memory over a number of updates, MB: of the process, and of tensors on a GPU.
    pub(super) fn memory_growth(&mut self, updates: u64) -> Result<(f64, Option<f32>)> {
        const WARM_UP: usize = 20;
        for round in 0..WARM_UP {
            self.update_once(round)?;
        }
        let held = |device: &Device| -> Result<Option<f32>> {
            Ok(pollster::block_on(device_memory(device))?.map(|held| held.in_use))
        };
        let (before, held_before) = (resident_memory_mb(), held(&self.device)?);
        for round in 0..updates as usize {
            self.update_once(round)?;
        }
        let grown_on_gpu =
            held(&self.device)?.zip(held_before).map(|(after, before)| after - before);
        Ok((resident_memory_mb() - before, grown_on_gpu))
    }
}
