//! Hyper-parameters that only DreamSPI reads (the table `[dream]`).

use std::borrow::Cow;

use deepspi_options::{ConfigError, fields};

use super::{Algorithm, CategoricalCost, Config, DreamMode, ImaginedEnds, Objective, Progressive};
use crate::metrics::MetricInfo;
use crate::schedule::UpdateSchedule;

fields! {
    /// The fields that only DreamSPI reads, besides those of the networks and the world model.
    #[derive(Copy)]
    pub struct DreamConfig, overrides DreamOverrides {
        /// Learning rate of the encoder, > 0. dream-spi does not read `learning-rate`.
        ["DreamSPI"]
        encoder_learning_rate: f64 = 2e-4;
        /// Learning rate of the world model, > 0.
        ["DreamSPI"]
        world_model_learning_rate: f64 = 2e-4;
        /// Learning rate of trunk and actor, > 0.
        ["DreamSPI"]
        actor_learning_rate: f64 = 2.75e-5;
        /// Learning rate of the critic, > 0.
        ["DreamSPI"]
        critic_learning_rate: f64 = 2.75e-5;
        /// Clip range of the world-model phase, in (0, 1); `clip-coef` is that of imagination.
        ["DreamSPI"]
        wm_clip_coef: f32 = 0.1;
        /// Imagined steps H from every real state, 1 to 256.
        ["DreamSPI"]
        imagination_horizon: usize = 8;
        /// Passes over an imagined rollout, at least 1.
        ["DreamSPI"]
        imagination_epochs: usize = 1;
        /// Minibatches of an imagined rollout; must divide `H * num-envs * num-steps`. 0: as many as
        /// there are imagined for each real one, times `n-imagination-rollouts`.
        ["DreamSPI"]
        imagination_num_minibatches: usize = 0;
        /// Imagined rollouts per iteration, each with its own updates, at least 1.
        ["DreamSPI"]
        n_imagination_rollouts: usize = 1;
        /// Imagined episodes end by their probability and not by a draw.
        ["DreamSPI"]
        soft_done: bool = false;
        /// Train actor and critic on real steps, too.
        ["DreamSPI"]
        dyna_style: bool = false;
        /// Weight of the loss of imagined steps, which grows over training; implies `dyna-style`.
        ["DreamSPI"] #[cfg_attr(feature = "cli", arg(value_enum))]
        progressive: Progressive = Progressive::Off;
        /// Weight decay of every group of parameters (AdamW), >= 0.
        ["DreamSPI"]
        dream_weight_decay: f32 = 0.0;
        /// Actor and critic have no weight decay.
        ["DreamSPI"]
        disable_wd_ac: bool = false;
        /// l_P is the estimate of a discriminator, which is trained to find the difference between true
        /// and imagined next latents.
        ["DreamSPI"]
        wasserstein_discriminator: bool = false;
        /// The discriminator also sees the observation.
        ["DreamSPI"]
        discriminator_obs_encoder: bool = false;
        /// Learn from a replay buffer of sequences instead of from the newest steps alone.
        ["DreamSPI"]
        use_replay_buffer: bool = false;
        /// Steps that the buffer holds, of all environments together.
        ["DreamSPI"]
        replay_capacity: usize = 500_000;
        /// Steps that are collected before the first update.
        ["DreamSPI"]
        replay_start: usize = 12_500;
        /// Sequences of an update, at least 1.
        ["DreamSPI"]
        replay_sequences: usize = 64;
        /// Steps of a sequence, 2 to 1000.
        ["DreamSPI"]
        replay_length: usize = 32;
        /// Real steps for each update from the buffer, at least 1.
        ["DreamSPI"]
        env_steps_per_wm_update: usize = 4;
        /// Probability that a sequence begins at one of the newest 128 times, in [0, 1].
        ["DreamSPI"]
        prioritize_new_samples: f32 = 0.0;
        /// Returns of V-trace; always with the clipped objective, and only with a replay buffer.
        ["DreamSPI"]
        use_v_trace: bool = false;
        /// Parameters at which gradients are taken, weight decay and schedules: corrected, or as in
        /// the authors' code.
        ["DreamSPI"] #[cfg_attr(feature = "cli", arg(value_enum))]
        dream_mode: DreamMode = DreamMode::Corrected;
        /// How the ends of imagined episodes are drawn.
        ["DreamSPI"] #[cfg_attr(feature = "cli", arg(value_enum))]
        imagined_ends: ImaginedEnds = ImaginedEnds::Corrected;
    }
}

/// Longest imagined rollout.
const LONGEST: usize = 256;

impl Config {
    /// Whether the run is one of DreamSPI.
    #[must_use]
    pub const fn is_dream(&self) -> bool {
        matches!(self.algo, Algorithm::DreamSpi)
    }

    /// Tag of a metric in TensorBoard. As the authors', the phases of DreamSPI have other names if actor and
    /// critic learn on real steps, too, and with a replay buffer.
    #[must_use]
    pub fn tensorboard_tag(&self, info: &MetricInfo) -> Cow<'static, str> {
        const REAL: &str = "repr_wm_step/";
        const IMAGINED: &str = "imagination_step/";
        let replay = self.dream.use_replay_buffer;
        let (phase, name) = if let Some(name) = info.tag.strip_prefix(REAL) {
            let phase = if self.is_dyna() { "env_step/" } else { REAL };
            (if replay { "world_model_update/" } else { phase }, name)
        } else if let Some(name) = info.tag.strip_prefix(IMAGINED) {
            (if replay { "imagination_update/" } else { IMAGINED }, name)
        } else {
            return info.tag.into();
        };
        format!("{phase}{name}").into()
    }

    /// Whether imagined steps can be judged: by a world model that is trained, and by a critic that reads
    /// latents. With a decoupled representation the critic sees images, except in DreamSPI.
    #[must_use]
    pub fn can_imagine(&self) -> bool {
        self.algo != Algorithm::Ppo && (self.is_dream() || !self.networks.decoupled_repr)
    }

    /// Whether DreamSPI trains actor and critic on real steps, too.
    #[must_use]
    pub fn is_dyna(&self) -> bool {
        self.dream.dyna_style || self.dream.progressive != Progressive::Off
    }

    /// Whether the transition loss is that of a discriminator.
    #[must_use]
    pub const fn has_discriminator(&self) -> bool {
        self.is_dream() && self.dream.wasserstein_discriminator
    }

    /// Whether returns of replayed steps are those of V-trace.
    #[must_use]
    pub fn replays_with_v_trace(&self) -> bool {
        self.dream.use_v_trace || self.objective == Objective::Clip
    }

    /// Updates from the replay buffer in an iteration.
    #[must_use]
    pub const fn replay_updates(&self) -> usize {
        let updates = self.batch_size() / self.dream.env_steps_per_wm_update;
        if updates == 0 { 1 } else { updates }
    }

    /// The learning rate that a run reports for iteration `iteration` (0-based): that of all parameters, or
    /// of DreamSPI's encoder.
    #[must_use]
    pub fn reported_learning_rate_at(&self, iteration: u64) -> f64 {
        if !self.is_dream() {
            return self.learning_rate_at(iteration);
        }
        let start = self.dream.encoder_learning_rate;
        if !self.anneal_lr {
            return start;
        }
        let is_parity = self.dream.dream_mode == DreamMode::Parity;
        let iterations = self.num_iterations();
        let (count, rounds) = if self.dream.use_replay_buffer {
            // The first iteration with updates is the last one of the warm-up.
            let done = (iteration + 1).saturating_sub(self.replay_warm_up());
            if is_parity {
                (done * self.replay_updates() as u64, iterations)
            } else {
                (done, self.replay_rounds())
            }
        } else {
            (iteration, iterations)
        };
        let rounds = Some(rounds);
        UpdateSchedule { start, updates: 1, rounds, goes_below_zero: is_parity }.rate_after(count)
    }

    /// Rollouts that are collected before the first update from the replay buffer: enough steps, and
    /// enough for a sequence.
    #[must_use]
    pub fn replay_warm_up(&self) -> u64 {
        let per_env = (self.dream.replay_start / self.num_envs).max(self.dream.replay_length + 1);
        per_env.div_ceil(self.num_steps) as u64
    }

    /// Iterations with updates from the replay buffer: the first is the last one of the warm-up.
    #[must_use]
    pub fn replay_rounds(&self) -> u64 {
        (self.num_iterations() + 1).saturating_sub(self.replay_warm_up())
    }

    /// States of which imagined rollouts begin.
    #[must_use]
    pub const fn imagined_starts(&self) -> usize {
        if self.dream.use_replay_buffer {
            self.dream.replay_sequences * self.dream.replay_length
        } else {
            self.batch_size()
        }
    }

    /// Minibatches of one imagined rollout.
    #[must_use]
    pub const fn imagination_minibatches(&self) -> usize {
        match self.dream.imagination_num_minibatches {
            0 => {
                let DreamConfig { imagination_horizon, n_imagination_rollouts, .. } = self.dream;
                self.num_minibatches * imagination_horizon * n_imagination_rollouts
            }
            given => given,
        }
    }

    /// Weight decays of encoder and world model, and of actor and critic.
    #[must_use]
    pub const fn dream_decays(&self) -> [f32; 2] {
        let decay = self.dream.dream_weight_decay;
        [decay, if self.dream.disable_wd_ac { 0.0 } else { decay }]
    }

    /// The weight of the imagined loss after `step` of `total` agent steps.
    #[must_use]
    pub fn imagination_weight(&self, step: u64, total: u64) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "steps stay far below 2^52")]
        let share = (step as f64 / total.max(1) as f64).min(1.0);
        let weight = match self.dream.progressive {
            Progressive::Off => 1.0,
            Progressive::Linear => share,
            Progressive::Exponential => 1e-8_f64.powf(1.0 - share),
        };
        #[expect(clippy::cast_possible_truncation, reason = "a weight in [0, 1]")]
        {
            weight as f32
        }
    }

    /// The configuration of the objective on real steps.
    #[must_use]
    pub fn of_world_model_phase(&self) -> Self {
        Self { clip_coef: self.dream.wm_clip_coef, ..self.clone() }
    }

    /// The configuration of the objective on imagined steps: `drift_coef` is that of real steps only.
    #[must_use]
    pub fn of_imagination(&self) -> Self {
        Self { drift_coef: 1.0, ..self.clone() }
    }

    /// Checks the fields of the replay buffer.
    fn validate_replay(&self) -> Result<(), ConfigError> {
        let check = |ok: bool, field, value: String, allowed| {
            if ok { Ok(()) } else { Err(ConfigError { field, value, allowed }) }
        };
        let dream = &self.dream;
        check(
            (1..=65_536).contains(&dream.replay_sequences),
            "replay_sequences",
            dream.replay_sequences.to_string(),
            "1 to 65536",
        )?;
        let length = dream.replay_length;
        check((2..=1000).contains(&length), "replay_length", length.to_string(), "2 to 1000")?;
        let newest = dream.prioritize_new_samples;
        let ok = (0.0..=1.0).contains(&newest);
        check(ok, "prioritize_new_samples", newest.to_string(), "0 to 1")?;
        let steps = dream.env_steps_per_wm_update;
        check(steps >= 1, "env_steps_per_wm_update", steps.to_string(), "at least 1")?;
        check(
            !dream.use_v_trace || dream.use_replay_buffer,
            "use_v_trace",
            "true".to_owned(),
            "false without use_replay_buffer: the newest steps are the policy's own",
        )?;
        if !dream.use_replay_buffer {
            return Ok(());
        }
        check(
            self.is_dream(),
            "use_replay_buffer",
            "true".to_owned(),
            "false, or algo = dream-spi: no other algorithm has a replay buffer",
        )?;
        check(
            dream.progressive == Progressive::Off,
            "progressive",
            dream.progressive.name().to_owned(),
            "off with use_replay_buffer",
        )?;
        check(
            dream.replay_capacity / self.num_envs > length,
            "replay_capacity",
            dream.replay_capacity.to_string(),
            "more than replay_length steps for each of num_envs environments",
        )?;
        check(
            dream.replay_capacity >= dream.replay_start,
            "replay_start",
            dream.replay_start.to_string(),
            "at most replay_capacity",
        )?;
        let samples = self.imagined_starts();
        check(
            samples.is_multiple_of(self.num_minibatches),
            "num_minibatches",
            self.num_minibatches.to_string(),
            "a divisor of replay_sequences * replay_length with use_replay_buffer",
        )
    }

    /// Checks the fields of DreamSPI.
    pub(super) fn validate_dream(&self) -> Result<(), ConfigError> {
        let check = |ok: bool, field, value: String, allowed| {
            if ok { Ok(()) } else { Err(ConfigError { field, value, allowed }) }
        };
        let dream = &self.dream;
        for (field, rate) in [
            ("encoder_learning_rate", dream.encoder_learning_rate),
            ("world_model_learning_rate", dream.world_model_learning_rate),
            ("actor_learning_rate", dream.actor_learning_rate),
            ("critic_learning_rate", dream.critic_learning_rate),
        ] {
            let ok = rate.is_finite() && rate > 0.0;
            check(ok, field, rate.to_string(), "a finite number > 0")?;
        }
        let clip = dream.wm_clip_coef;
        check(clip > 0.0 && clip < 1.0, "wm_clip_coef", clip.to_string(), "0 < wm_clip_coef < 1")?;
        let horizon = dream.imagination_horizon;
        let in_range = (1..=LONGEST).contains(&horizon);
        check(in_range, "imagination_horizon", horizon.to_string(), "1 to 256")?;
        for (field, count) in [
            ("imagination_epochs", dream.imagination_epochs),
            ("n_imagination_rollouts", dream.n_imagination_rollouts),
        ] {
            check((1..=1000).contains(&count), field, count.to_string(), "1 to 1000")?;
        }
        let decay = dream.dream_weight_decay;
        let ok = decay.is_finite() && decay >= 0.0;
        check(ok, "dream_weight_decay", decay.to_string(), "a finite number >= 0")?;
        let model = &self.world_model;
        let has_cost_of_logits = self.has_categorical_latents()
            && matches!(
                model.categorical_cost,
                CategoricalCost::CrossEntropy | CategoricalCost::JensenShannon
            );
        check(
            !dream.wasserstein_discriminator || !has_cost_of_logits,
            "wasserstein_discriminator",
            "true".to_owned(),
            "false with the costs cross-entropy and jensen-shannon: no latent is drawn that it could \
             judge",
        )?;
        check(
            !dream.wasserstein_discriminator || model.transition_balance == 0.0,
            "transition_balance",
            model.transition_balance.to_string(),
            "0 with wasserstein_discriminator",
        )?;
        check(
            !dream.discriminator_obs_encoder || dream.wasserstein_discriminator,
            "discriminator_obs_encoder",
            "true".to_owned(),
            "false without wasserstein_discriminator",
        )?;
        self.validate_replay()?;
        if !self.is_dream() {
            return check(
                !dream.wasserstein_discriminator,
                "wasserstein_discriminator",
                "true".to_owned(),
                "false, or algo = dream-spi: no other algorithm trains a discriminator",
            );
        }
        let minibatches = self.imagination_minibatches();
        check(
            minibatches <= self.imagined_starts() * horizon
                && (self.imagined_starts() * horizon).is_multiple_of(minibatches),
            "imagination_num_minibatches",
            minibatches.to_string(),
            "a divisor of imagination_horizon * num_envs * num_steps; with a replay buffer of \
             imagination_horizon * replay_sequences * replay_length",
        )?;
        check(
            self.uses_world_model(),
            "transition_loss_coef",
            "0".to_owned(),
            "above 0, or reward_loss_coef above 0, with dream-spi: it learns in its world model",
        )?;
        check(
            !self.deep_spi.certified,
            "certified",
            "true".to_owned(),
            "false with dream-spi: the theorem is about policies that are improved on real steps",
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_the_phase_as_the_authors_do() {
        let tags = |dyna: bool, replay: bool| {
            let mut config = Config { algo: Algorithm::DreamSpi, ..Config::default() };
            config.dream.dyna_style = dyna;
            config.dream.use_replay_buffer = replay;
            let infos = config.algo.info().metrics;
            let tag = |name| {
                let info = infos.iter().find(|info| info.name == name).expect("a metric");
                config.tensorboard_tag(info).into_owned()
            };
            [tag("loss"), tag("imagined_loss")]
        };
        assert_eq!(tags(false, false), ["repr_wm_step/loss", "imagination_step/loss"]);
        assert_eq!(tags(true, false), ["env_step/loss", "imagination_step/loss"]);
        assert_eq!(tags(false, true), ["world_model_update/loss", "imagination_update/loss"]);
        let ppo = Config { algo: Algorithm::Ppo, ..Config::default() };
        let tags = ppo.algo.info().metrics.iter().map(|info| ppo.tensorboard_tag(info));
        assert!(tags.eq(ppo.algo.info().metrics.iter().map(|info| info.tag)), "as before");
    }
}
