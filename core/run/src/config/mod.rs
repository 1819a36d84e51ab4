//! Every hyper-parameter of a run, in one struct.
//!
//! The same struct is the command line (feature `cli`), the TOML file in a run folder and the form
//! of the playground, so that the description of a run can move between them. Defaults and ranges
//! must be defined here only, and only [`Config::validate`] checks values. Names are CleanRL's
//! where CleanRL has them; the command line writes them in kebab-case.
//!
//! Fields that every algorithm reads are at the top level. The world model is a separate part, and
//! so are the fields that only one family of algorithms reads; a part is a table of the TOML file.
//! To add a part, define it with [`fields!`] in its own module and add it to the list `parts` of
//! [`Config`]. Files from before there were parts have all fields at the top level. They must stay
//! readable; a file may mix both forms.

mod choice;
mod deep_spi;
mod dream;
mod networks;
mod world_model;

pub use choice::{
    Activation, CategoricalCost, CategoricalNetwork, CostTarget, DoneLabels, DreamMode,
    GradientPenalty, ImaginedEnds, LatentDistance, MixtureLayout, Objective, Progressive,
    SoftMoeLayout, SpectralMode, TransitionDensity, ValueLoss,
};
pub use deep_spi::{DeepSpiConfig, DeepSpiOverrides};
use deepspi_options::{ConfigError, FieldKind, Flat, fields};
pub use dream::{DreamConfig, DreamOverrides};
pub use networks::{NetworksConfig, NetworksOverrides};
pub use world_model::{WorldModelConfig, WorldModelOverrides};

pub use crate::algorithm::{Algorithm, Auxiliary};
use crate::schedule::Schedule;

fields! {
    /// All hyper-parameters of a training run. See the module documentation; the defaults are those
    /// of the paper's Table 1 and the authors' implementation.
    pub struct Config, overrides ConfigOverrides {
        /// Algorithm: deep-spi, deep-mdp, ppo or dream-spi.
        ["Algorithm"] #[cfg_attr(feature = "cli", arg(value_enum))]
        algo: Algorithm = Algorithm::DeepSpi;
        /// Seed of every generator of the run (parameters, environments, actions, shuffles).
        ["Algorithm"]
        seed: u64 = 1;
        /// Agent steps of the whole run; one agent step is four emulator frames. At least one
        /// iteration (`num-envs * num-steps`).
        ["Algorithm"]
        total_timesteps: u64 = 10_000_000;
        /// Parallel environments N, at least 1.
        ["Algorithm"]
        num_envs: usize = 128;
        /// Agent steps T per environment and iteration, at least 1.
        ["Algorithm"]
        num_steps: usize = 8;
        /// Discount factor gamma in [0, 1).
        ["Algorithm"]
        gamma: f32 = 0.99;
        /// Lambda of generalised advantage estimation, in [0, 1].
        ["Algorithm"]
        gae_lambda: f32 = 0.95;
        /// Passes over a rollout per iteration, at least 1.
        ["Optimisation"]
        update_epochs: usize = 4;
        /// Minibatches per pass; must divide `num-envs * num-steps`.
        ["Optimisation"]
        num_minibatches: usize = 4;
        /// Adam's learning rate at the start, > 0.
        ["Optimisation"]
        learning_rate: f64 = 2.5e-4;
        /// Decay the learning rate linearly to 0, constant within an iteration.
        ["Optimisation"]
        anneal_lr: bool = true;
        /// Adam's epsilon, outside the square root, > 0.
        ["Optimisation"]
        adam_eps: f32 = 1e-5;
        /// Largest global norm of the gradient over agent and world model together, > 0.
        ["Optimisation"]
        max_grad_norm: f32 = 0.5;
        /// Normalise advantages over each minibatch (population standard deviation).
        ["Objective"]
        norm_adv: bool = true;
        /// Clip range eps = C - 1 of the importance ratio, in (0, 1).
        ["Objective"]
        clip_coef: f32 = 0.1;
        /// Surrogate: clip, or its drift form.
        ["Objective"] #[cfg_attr(feature = "cli", arg(value_enum))]
        objective: Objective = Objective::Clip;
        /// Weight of the drift term, >= 0; only read with `objective = drift`.
        ["Objective"]
        drift_coef: f32 = 1.0;
        /// Weight of the entropy bonus, >= 0.
        ["Objective"]
        ent_coef: f32 = 0.01;
        /// Weight of the value loss, >= 0.
        ["Objective"]
        vf_coef: f32 = 0.5;
        /// Loss of a value: half its squared error, or Huber's.
        ["Objective"] #[cfg_attr(feature = "cli", arg(value_enum))]
        value_loss: ValueLoss = ValueLoss::Squared;
    } parts {
        /// The agent's networks.
        networks: NetworksConfig, overrides NetworksOverrides;
        /// The world model.
        world_model: WorldModelConfig, overrides WorldModelOverrides;
        /// The fields that only DeepSPI and DeepMDP read.
        deep_spi: DeepSpiConfig, overrides DeepSpiOverrides;
        /// The fields that only DreamSPI reads.
        dream: DreamConfig, overrides DreamOverrides;
    }
}

/// Largest number of transitions of an iteration. More would not fit into memory, and the product
/// must fit into 32 bits, the size of `usize` in a browser.
const LARGEST_BATCH: usize = 1 << 24;

/// Fields that are younger than run folders and kept runs.
const LATER_FIELDS: &[&str] = &[
    "value_loss",
    "transition_balance",
    "activation",
    "use_layer_norm",
    "layer_norm_cnn_output",
    "hadamard_representation",
    "dreamer_architecture",
    "decoupled_repr",
    "use_attention",
    "n_cat",
    "n_cls",
    "use_feature_group",
    "categorical_network",
    "categorical_cost",
    "cost_target",
    "softmoe_layout",
    "use_gumbel_softmax",
    "clip_reward_net_output",
    "done_predictor",
    "done_labels",
    "lambda_gp",
    "gradient_penalty",
    "piecewise_auxiliary_ratio",
    "weight_decay",
    "encoder_learning_rate",
    "world_model_learning_rate",
    "actor_learning_rate",
    "critic_learning_rate",
    "wm_clip_coef",
    "imagination_horizon",
    "imagination_epochs",
    "imagination_num_minibatches",
    "n_imagination_rollouts",
    "soft_done",
    "dyna_style",
    "progressive",
    "dream_weight_decay",
    "disable_wd_ac",
    "use_replay_buffer",
    "replay_capacity",
    "replay_start",
    "replay_sequences",
    "replay_length",
    "env_steps_per_wm_update",
    "prioritize_new_samples",
    "use_v_trace",
    "wasserstein_discriminator",
    "discriminator_obs_encoder",
    "dream_mode",
    "imagined_ends",
];

impl Config {
    /// All fields on one level, from which the names of kept runs and the digests of evaluations are
    /// computed. Younger fields count only if the algorithm reads them and they differ from their
    /// defaults, so that a run keeps its name.
    #[must_use]
    pub fn identity(&self) -> Flat {
        Flat::new(Self::FIELD_INFO, |field| {
            let value = self.get(field);
            let is_usual = value == Self::DEFAULT.get(field) || !self.algo.reads(field);
            if LATER_FIELDS.contains(&field) && is_usual { None } else { value }
        })
    }

    /// Check every field against its range.
    ///
    /// # Errors
    /// The first field out of range, with its value and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let check = |ok: bool, field: &'static str, value: String, allowed: &'static str| {
            if ok { Ok(()) } else { Err(ConfigError { field, value, allowed }) }
        };
        macro_rules! require {
            ($field:ident, $ok:expr, $allowed:literal) => {
                check($ok, stringify!($field), self.$field.to_string(), $allowed)?
            };
        }
        // A run folder holds the configuration as TOML, whose integers have 64 bits with a sign.
        for info in Self::FIELD_INFO.iter().filter(|info| info.kind == FieldKind::Whole) {
            let value = self.get(info.name).unwrap_or_default();
            let fits = value.parse::<i64>().is_ok();
            let allowed = "at most 9223372036854775807, the largest integer of a TOML file";
            check(fits, info.name, value, allowed)?;
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let not_negative = |x: f32| x.is_finite() && x >= 0.0;
        require!(num_envs, (1..=65_536).contains(&self.num_envs), "1 to 65536");
        require!(num_steps, (1..=65_536).contains(&self.num_steps), "1 to 65536");
        // Checked before the product is used: where `usize` has 32 bits it can wrap to 0.
        let batch = self.num_envs.checked_mul(self.num_steps);
        require!(
            num_steps,
            batch.is_some_and(|steps| steps <= LARGEST_BATCH),
            "num_envs * num_steps of at most 16777216"
        );
        require!(
            total_timesteps,
            self.total_timesteps >= self.batch_size() as u64,
            "at least one iteration, num_envs * num_steps"
        );
        require!(gamma, (0.0..1.0).contains(&self.gamma), "0 <= gamma < 1");
        require!(gae_lambda, (0.0..=1.0).contains(&self.gae_lambda), "0 to 1");
        require!(update_epochs, (1..=1000).contains(&self.update_epochs), "1 to 1000");
        require!(
            num_minibatches,
            self.num_minibatches >= 1 && self.batch_size().is_multiple_of(self.num_minibatches),
            "a divisor of num_envs * num_steps"
        );
        require!(learning_rate, positive(self.learning_rate), "a finite number > 0");
        require!(adam_eps, positive(self.adam_eps.into()), "a finite number > 0");
        require!(max_grad_norm, positive(self.max_grad_norm.into()), "a finite number > 0");
        require!(clip_coef, self.clip_coef > 0.0 && self.clip_coef < 1.0, "0 < clip_coef < 1");
        require!(drift_coef, not_negative(self.drift_coef), "a finite number >= 0");
        require!(ent_coef, not_negative(self.ent_coef), "a finite number >= 0");
        require!(vf_coef, not_negative(self.vf_coef), "a finite number >= 0");
        self.world_model.validate()?;
        self.validate_networks()?;
        self.validate_dream()?;
        check(
            !self.world_model.done_predictor || self.has_done_predictor(),
            "done_predictor",
            "true".to_owned(),
            "false without a world model, or with reward_loss_coef = 0: it has the weight of the \
             reward loss",
        )?;
        check(
            not_negative(self.deep_spi.weight_decay),
            "weight_decay",
            self.deep_spi.weight_decay.to_string(),
            "a finite number >= 0",
        )?;
        if self.deep_spi.certified {
            self.validate_certified()?;
        }
        Ok(())
    }

    /// Transitions of one iteration, `T * N`.
    #[must_use]
    pub const fn batch_size(&self) -> usize {
        self.num_envs * self.num_steps
    }

    /// Transitions of one minibatch.
    #[must_use]
    pub const fn minibatch_size(&self) -> usize {
        self.batch_size() / self.num_minibatches
    }

    /// Number of whole iterations in `total_timesteps`.
    #[must_use]
    pub const fn num_iterations(&self) -> u64 {
        self.total_timesteps / self.batch_size() as u64
    }

    /// Agent steps of these iterations: the actual length of the run.
    #[must_use]
    pub const fn whole_steps(&self) -> u64 {
        self.num_iterations() * self.batch_size() as u64
    }

    /// The learning rate over the iterations of the run: linear to 0, or constant.
    #[must_use]
    pub const fn learning_rate_schedule(&self) -> Schedule {
        if self.anneal_lr {
            Schedule::linear(self.learning_rate, self.num_iterations())
        } else {
            Schedule::constant(self.learning_rate)
        }
    }

    /// Learning rate of iteration `iteration` (0-based).
    #[must_use]
    pub fn learning_rate_at(&self, iteration: u64) -> f64 {
        self.learning_rate_schedule().rate_at(iteration)
    }

    /// `(alpha_R, alpha_P)` as the objective uses them: 0 without a world model.
    #[must_use]
    pub const fn auxiliary_coefficients(&self) -> (f32, f32) {
        match self.algo.info().auxiliary {
            Auxiliary::Absent => (0.0, 0.0),
            Auxiliary::InsideClip | Auxiliary::OutsideClip => {
                (self.world_model.reward_loss_coef, self.world_model.transition_loss_coef)
            }
        }
    }

    /// Whether the world model predicts the ends of episodes. Except in DreamSPI, which always asks
    /// for them, nothing would be learned without a reward loss: its weight is that of the predictor.
    #[must_use]
    pub fn has_done_predictor(&self) -> bool {
        self.is_dream() || self.world_model.done_predictor && self.auxiliary_coefficients().0 > 0.0
    }

    /// Whether the loss contains a gradient penalty of the world model.
    #[must_use]
    pub fn has_gradient_penalty(&self) -> bool {
        self.world_model.lambda_gp > 0.0 && self.uses_world_model()
    }

    /// Whether the losses of the world model are part of the loss.
    #[must_use]
    pub fn uses_world_model(&self) -> bool {
        self.auxiliary_coefficients() != (0.0, 0.0)
    }
}

impl Algorithm {
    /// Whether the algorithm reads a field of the configuration; false for an unknown field.
    #[must_use]
    pub fn reads(self, field: &str) -> bool {
        let reads = |name: &str| self.info().reads.contains(&name);
        let info = Config::FIELD_INFO.iter().find(|info| info.name == field);
        info.is_some_and(|info| info.part.is_none_or(reads) || reads(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_has_a_colour_of_its_own_and_reads_parts_that_exist() {
        let colours = Algorithm::IN_ORDER_OF_COLOUR.map(|algorithm| algorithm.info().colour);
        assert!(colours.is_sorted_by(|a, b| a < b), "{colours:?}");
        for algorithm in Algorithm::ALL {
            for part in algorithm.info().reads {
                let known = Config::PARTS.contains(part) || Config::FIELDS.contains(part);
                assert!(known, "{algorithm} reads {part}, which is neither part nor field");
            }
        }
        assert_eq!(Algorithm::NAMES, "deep-spi,deep-mdp,ppo,dream-spi");
    }

    #[test]
    fn ppo_reads_no_field_of_the_world_model() {
        assert!(Algorithm::Ppo.reads("gamma") && !Algorithm::Ppo.reads("reward_loss_coef"));
        assert!(Algorithm::Ppo.reads("transition_density"), "it decides what a latent is");
        assert!(Algorithm::DeepMdp.reads("transition_density"));
        assert!(!Algorithm::DeepSpi.reads("gama"), "no field");
    }

    #[test]
    fn defaults_are_valid_and_survive_toml() {
        let config = Config::default();
        config.validate().expect("defaults must be valid");
        let text = toml::to_string(&config).expect("serialises");
        assert_eq!(toml::from_str::<Config>(&text).expect("parses"), config);
        assert_eq!(config.batch_size(), 1024);
        assert_eq!(config.minibatch_size(), 256);
        assert_eq!((config.num_iterations(), config.whole_steps()), (9765, 9765 * 1024));
    }

    #[test]
    fn an_error_names_field_value_and_range() {
        let config = Config { gamma: 1.0, ..Config::default() };
        let error = config.validate().expect_err("gamma = 1 is out of range");
        assert_eq!(error.to_string(), "config field `gamma` is 1; allowed: 0 <= gamma < 1");
        for config in [
            Config { num_minibatches: 3, ..Config::default() },
            Config { num_minibatches: 0, ..Config::default() },
            Config { total_timesteps: 1023, ..Config::default() },
            Config { clip_coef: f32::NAN, ..Config::default() },
            Config { learning_rate: f64::INFINITY, ..Config::default() },
            Config { num_envs: 0, ..Config::default() },
        ] {
            config.validate().expect_err("out of range");
        }
    }

    #[test]
    fn an_iteration_has_a_largest_size() {
        let iteration = |num_envs, num_steps| Config {
            num_envs,
            num_steps,
            total_timesteps: i64::MAX as u64,
            ..Config::default()
        };
        iteration(4096, 4096).validate().expect("the largest");
        let error = iteration(65_536, 65_536).validate().expect_err("2^32, which 32 bits lose");
        assert_eq!(
            error.to_string(),
            "config field `num_steps` is 65536; allowed: num_envs * num_steps of at most 16777216"
        );
        iteration(4096, 4097).validate().expect_err("one step more");
    }

    #[test]
    fn a_number_that_a_run_folder_cannot_hold_is_refused() {
        for (field, value) in
            [("seed", "9223372036854775808"), ("total_timesteps", "18446744073709551615")]
        {
            let mut config = Config::default();
            config.set(field, value).expect("a whole number");
            let error = config.validate().expect_err("above the range of TOML").to_string();
            assert!(error.contains(field) && error.contains("TOML"), "{error}");
            toml::Table::try_from(&config).expect_err("it cannot be written, either");
        }
        let config = Config { seed: i64::MAX as u64, ..Config::default() };
        config.validate().expect("the largest");
        toml::to_string(&config).expect("written");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = toml::from_str::<Config>("gama = 0.9").expect_err("typo");
        assert!(error.to_string().contains("gama"), "{error}");
    }

    #[test]
    fn learning_rate_is_linear_in_the_iteration() {
        let config = Config { total_timesteps: 10 * 1024, ..Config::default() };
        assert!((config.learning_rate_at(0) - 2.5e-4).abs() < 1e-12);
        assert!((config.learning_rate_at(5) - 1.25e-4).abs() < 1e-12);
        assert!(config.learning_rate_at(10).abs() < 1e-12);
    }
}
