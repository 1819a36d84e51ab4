//! The groups of parameters of DreamSPI, each with its own optimiser and schedule.

use deepspi_run::config::{Config, DreamMode};
use deepspi_run::schedule::{Schedule, UpdateSchedule};

use crate::optim::{AdamSettings, GroupSettings};
use crate::params::ParameterInfo;

/// Constant learning rate and weight decay of the discriminator.
const MAXIMISER_RATE: f64 = 1e-4;
const MAXIMISER_DECAY: f32 = 1e-3;

/// A group of parameters, in the order of the flat vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Group {
    /// phi.
    Encoder = 0,
    /// Trunk and actor head.
    Actor,
    /// Critic head, and the critic's own trunk if it has one.
    Critic,
    /// Transition, reward and ends.
    WorldModel,
    /// The discriminator.
    Maximiser,
}

impl Group {
    /// All groups, in the order of the flat vector. Without a discriminator the last one does not exist.
    pub const ALL: [Self; 5] =
        [Self::Encoder, Self::Actor, Self::Critic, Self::WorldModel, Self::Maximiser];

    const fn name(self) -> &'static str {
        match self {
            Self::Encoder => "encoder",
            Self::Actor => "actor",
            Self::Critic => "critic",
            Self::WorldModel => "world_model",
            Self::Maximiser => "maximiser",
        }
    }

    /// The group of a parameter, by its name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if name.starts_with("agent.encoder") {
            Self::Encoder
        } else if name.starts_with("agent.critic") {
            Self::Critic
        } else if name.starts_with("agent.") {
            Self::Actor
        } else if name.starts_with("discriminator.") {
            Self::Maximiser
        } else {
            Self::WorldModel
        }
    }

    /// Learning rate at the start.
    const fn rate(self, config: &Config) -> f64 {
        match self {
            Self::Encoder => config.dream.encoder_learning_rate,
            Self::Actor => config.dream.actor_learning_rate,
            Self::Critic => config.dream.critic_learning_rate,
            Self::WorldModel => config.dream.world_model_learning_rate,
            Self::Maximiser => MAXIMISER_RATE,
        }
    }

    const fn learns_in_imagination(self) -> bool {
        matches!(self, Self::Actor | Self::Critic)
    }

    /// Its weight decay. In the authors' code that of the actor is 1 if there is one at all, because a
    /// condition stands where its value should (docs/deepspi.md, D20).
    fn weight_decay(self, config: &Config) -> f32 {
        let [of_model, of_policy] = config.dream_decays();
        let is_parity = config.dream.dream_mode == DreamMode::Parity;
        match self {
            Self::Encoder | Self::WorldModel => of_model,
            Self::Actor if is_parity => f32::from(u8::from(of_policy > 0.0)),
            Self::Actor | Self::Critic => of_policy,
            Self::Maximiser => MAXIMISER_DECAY,
        }
    }

    /// The learning rate after a number of updates of the group.
    ///
    /// Corrected: linear in the updates that there really are. In the authors' code actor and critic
    /// count those on imagined steps only, although with `dyna_style` there are more (D21).
    #[must_use]
    pub fn schedule(self, config: &Config) -> UpdateSchedule {
        let real = (config.update_epochs * config.num_minibatches) as u64;
        let dream = &config.dream;
        let (mut updates, mut rounds) = (real, config.num_iterations());
        let is_parity = dream.dream_mode == DreamMode::Parity;
        if dream.use_replay_buffer && !is_parity {
            // A round is an iteration, and there are none before the buffer is filled.
            let imagined = config.imagination_minibatches() * dream.imagination_epochs;
            let updates = match (self.learns_in_imagination(), config.is_dyna()) {
                (false, _) => real,
                (true, false) => imagined as u64,
                (true, true) => imagined as u64 + real,
            };
            let updates = updates * config.replay_updates() as u64;
            return self.linear(config, updates, config.replay_rounds());
        }
        if self.learns_in_imagination() {
            let rollouts = dream.n_imagination_rollouts as u64;
            updates = (config.imagination_minibatches() * dream.imagination_epochs) as u64;
            rounds *= rollouts;
            if config.is_dyna() && !is_parity {
                // A round is a whole iteration.
                updates = updates * rollouts + real;
                rounds = config.num_iterations();
            }
        }
        self.linear(config, updates, rounds)
    }

    /// The schedule that falls after each round of `updates`, to 0 after `rounds`.
    fn linear(self, config: &Config, updates: u64, rounds: u64) -> UpdateSchedule {
        let is_parity = config.dream.dream_mode == DreamMode::Parity;
        UpdateSchedule {
            start: self.rate(config),
            updates,
            rounds: (config.anneal_lr && self != Self::Maximiser).then_some(rounds),
            goes_below_zero: is_parity,
        }
    }

    fn adam(self, config: &Config) -> AdamSettings {
        let weight_decay = self.weight_decay(config);
        if self == Self::Maximiser {
            return AdamSettings { beta_1: 0.0, beta_2: 0.9, epsilon: 1e-8, weight_decay };
        }
        AdamSettings { weight_decay, ..AdamSettings::with_epsilon(config.adam_eps) }
    }

    /// Settings of its optimiser.
    #[must_use]
    pub fn settings(self, config: &Config) -> GroupSettings {
        GroupSettings {
            name: self.name(),
            adam: self.adam(config),
            schedule: Schedule::constant(self.rate(config)),
            max_norm: config.max_grad_norm,
        }
    }

    /// The groups of a run, in the order of the flat vector.
    #[must_use]
    pub fn of_run(config: &Config) -> &'static [Self] {
        if config.has_discriminator() { &Self::ALL } else { &Self::ALL[..Self::Maximiser as usize] }
    }

    /// Entries of the flat vector of each group, in the order of [`Self::ALL`].
    ///
    /// # Panics
    /// If the parameters of a group are not consecutive.
    #[must_use]
    pub fn lengths(parameters: &[ParameterInfo]) -> [usize; 5] {
        let groups = parameters.iter().map(|parameter| Self::of(&parameter.name));
        assert!(groups.is_sorted(), "groups are ranges of the flat vector");
        Self::ALL.map(|group| {
            let own = parameters.iter().filter(|parameter| Self::of(&parameter.name) == group);
            own.map(ParameterInfo::padded_len).sum()
        })
    }
}
