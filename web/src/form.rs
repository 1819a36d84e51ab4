//! The control of each hyper-parameter: its label, whether it is always shown, and the stops of its
//! slider.
//!
//! Names, defaults, choices and descriptions come from the structs ([`Config::FIELD_INFO`],
//! [`MazeConfig::FIELD_INFO`], [`AtariTraining::FIELD_INFO`]); this module adds only what a form needs. A test below fails for a
//! field without a control, and for a stop that validation refuses. A slider covers the useful
//! range; the number box beside it accepts every valid value.

use deepspi_options::{FieldInfo, FieldKind, FieldValue, SetError};
use deepspi_playground::experiment::{AGENTS, ENV, Experiment};
use deepspi_run::config::{Algorithm, Config};
use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::maze::MazeConfig;

/// The part of an experiment to which a field belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The maze.
    Maze,
    /// The rules of games on the emulator.
    Game,
    /// One of the agents.
    Agent(usize),
}

impl Scope {
    /// All parts.
    pub const ALL: [Self; 2 + AGENTS] = [Self::Maze, Self::Game, Self::Agent(0), Self::Agent(1)];

    /// The part to which a field in error belongs; `agent` as in an
    /// [`ExperimentError`](deepspi_playground::experiment::ExperimentError).
    #[must_use]
    pub fn of_error(agent: Option<usize>, field: &str) -> Self {
        match agent {
            Some(agent) => Self::Agent(agent),
            None if AtariTraining::FIELDS.contains(&field) || field == ENV => Self::Game,
            None => Self::Maze,
        }
    }

    /// Name of the part in links and ids.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Maze => "maze",
            Self::Game => "game",
            Self::Agent(0) => "a",
            Self::Agent(_) => "b",
        }
    }

    /// The fields of this part.
    #[must_use]
    pub const fn fields(self) -> &'static [FieldInfo] {
        match self {
            Self::Maze => MazeConfig::FIELD_INFO,
            Self::Game => AtariTraining::FIELD_INFO,
            Self::Agent(_) => Config::FIELD_INFO,
        }
    }

    /// The value of a field of this part as text; none if the field does not exist.
    #[must_use]
    pub fn get(self, experiment: &Experiment, field: &str) -> Option<String> {
        match self {
            Self::Maze => experiment.maze.get(field),
            Self::Game => experiment.atari.get(field),
            Self::Agent(agent) => experiment.agents.get(agent)?.get(field),
        }
    }

    /// Sets a field of this part to a value given as text.
    ///
    /// # Errors
    /// If the field does not exist or the text is not a value of its type; nothing is changed.
    pub fn set(self, experiment: &mut Experiment, field: &str, text: &str) -> Result<(), SetError> {
        match self {
            Self::Maze => experiment.maze.set(field, text),
            Self::Game => experiment.atari.set(field, text),
            Self::Agent(agent) => experiment
                .agents
                .get_mut(agent)
                .ok_or_else(|| SetError::Unknown(field.to_owned()))?
                .set(field, text),
        }
    }
}

/// Sets a field as the user does: the seed is set for both agents, and `certified` also sets the
/// fields that it requires, or resets them to their defaults. A gradient penalty makes the networks plain.
///
/// # Errors
/// If the text is not a value of the field's type; nothing is changed.
pub fn enter(
    experiment: &mut Experiment,
    scope: Scope,
    field: &str,
    text: &str,
) -> Result<(), SetError> {
    let before = scope.get(experiment, field);
    scope.set(experiment, field, text)?;
    if before == scope.get(experiment, field) {
        return Ok(());
    }
    if let Scope::Agent(index) = scope {
        if field == SEED.name {
            experiment.set_seed(experiment.agents[index].seed);
        }
        // Only the plain networks have a penalty.
        if field == "lambda_gp" && experiment.agents[index].world_model.lambda_gp > 0.0 {
            experiment.agents[index].world_model.lipschitz_nets = false;
        }
        if field == "certified" {
            let agent = &mut experiment.agents[index];
            if agent.deep_spi.certified {
                *agent = agent.clone().certify();
            } else {
                let default = &Experiment::default().agents[index];
                for field in Config::CERTIFIED_FIELDS {
                    agent.set(field, &default.get(field).unwrap_or_default())?;
                }
            }
        }
    }
    Ok(())
}

/// The default value of a field as text.
#[must_use]
pub fn default_of(scope: Scope, field: &str) -> String {
    scope.get(&Experiment::default(), field).unwrap_or_default()
}

/// Turns a documentation comment into plain text, without backticks and emphasis.
#[must_use]
pub fn plain(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let in_word = |index: Option<usize>| {
        index.and_then(|index| chars.get(index)).is_some_and(|c| c.is_alphanumeric())
    };
    let kept = chars.iter().enumerate().filter(|&(index, c)| match c {
        '`' => false,
        // `a * b` is a product, `*a*` is emphasis.
        '*' => !in_word(index.checked_sub(1)) && !in_word(Some(index + 1)),
        _ => true,
    });
    kept.map(|(_, c)| c).collect()
}

/// The label of a choice.
#[must_use]
pub fn choice_label(name: &'static str) -> &'static str {
    if let Some(algorithm) = Algorithm::ALL.into_iter().find(|known| known.name() == name) {
        return algorithm.label();
    }
    match name {
        "smooth-l1" => "smooth L1",
        "mixture-normal" => "mixture of normals",
        "parity" => "as the authors' code",
        other => other,
    }
}

/// The control of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// Name of the field.
    pub name: &'static str,
    /// Label of the control.
    pub label: &'static str,
    /// Whether it is always shown.
    pub common: bool,
    /// Slider beside the number box; none for flags and choices.
    pub slider: Option<Slider>,
}

/// The stops of a slider, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slider {
    /// From, to, step.
    Even(f64, f64, f64),
    /// Powers of ten between these exponents, and round numbers between them.
    Decades(i32, i32),
    /// 0, then the stops of [`Slider::Decades`].
    ZeroAndDecades(i32, i32),
    /// Powers of two between these exponents.
    Powers(u32, u32),
    /// These stops.
    Stops(&'static [f64]),
}

/// The stops within a decade.
const ROUND: [f64; 9] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0];

impl Slider {
    /// All stops as text that a field accepts.
    #[must_use]
    pub fn stops(&self) -> Vec<String> {
        match *self {
            Self::Even(from, to, step) => {
                let decimals = (-step.log10()).ceil().max(0.0) as usize;
                let last = ((to - from) / step).round() as u32;
                (0..=last)
                    .map(|i| number(&format!("{:.decimals$}", from + step * f64::from(i))))
                    .collect()
            }
            Self::Decades(from, to) => {
                let within = (from..to)
                    .flat_map(|exponent| ROUND.map(|round| number(&format!("{round}e{exponent}"))));
                within.chain([number(&format!("1e{to}"))]).collect()
            }
            Self::ZeroAndDecades(from, to) => {
                let decades = Self::Decades(from, to).stops();
                std::iter::once("0".to_owned()).chain(decades).collect()
            }
            Self::Powers(from, to) => (from..=to).map(|e| (1_u64 << e).to_string()).collect(),
            Self::Stops(stops) => stops.iter().map(FieldValue::to_text).collect(),
        }
    }
}

/// Formats a number as a field does.
fn number(text: &str) -> String {
    f64::from_text(text).map_or_else(|| text.to_owned(), |x| x.to_text())
}

/// Index of the stop nearest to a value; 0 if the value is not a number.
#[must_use]
pub fn nearest_stop(stops: &[String], value: &str) -> usize {
    let Ok(value) = value.parse::<f64>() else { return 0 };
    let distance = |stop: &String| (stop.parse::<f64>().unwrap_or(f64::NAN) - value).abs();
    let nearest = stops.iter().enumerate().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
    nearest.map_or(0, |(index, _)| index)
}

const fn common(name: &'static str, label: &'static str, slider: Option<Slider>) -> Control {
    Control { name, label, common: true, slider }
}

const fn rare(name: &'static str, label: &'static str, slider: Option<Slider>) -> Control {
    Control { name, label, common: false, slider }
}

/// The seed, which is the same for both agents.
pub const SEED: Control = common("seed", "Seed", None);

/// Controls of the maze, in the order of the form.
pub const MAZE: &[Control] = &[
    common("epsilon", "Lower corridor ε", Some(Slider::Even(0.01, 0.95, 0.01))),
    common("cue", "Cue", Some(Slider::Even(0.0, 1.0, 0.05))),
    common("n_path", "Corridor length n", Some(Slider::Even(2.0, 20.0, 1.0))),
    rare("maze_reset", "End of an episode", None),
    rare("preset", "Frames and networks", None),
];

/// Controls of games on the emulator, in the order of the form.
pub const GAME: &[Control] = &[
    rare("network", "Networks", None),
    rare(
        "max_episode_steps",
        "Longest episode",
        Some(Slider::Stops(&[200.0, 1_000.0, 5_000.0, 27_000.0, 108_000.0])),
    ),
    rare("emulator_seeds", "Seeds of the emulator", None),
    rare("reward_clip", "Clip rewards", None),
];

/// Controls of an agent, in the order of the form; without the seed.
pub const AGENT: &[Control] = &[
    common("algo", "Algorithm", None),
    common("learning_rate", "Learning rate", Some(Slider::Decades(-5, -1))),
    common("clip_coef", "Clip range C − 1", Some(Slider::Even(0.005, 0.995, 0.005))),
    common(
        "gamma",
        "Discount γ",
        Some(Slider::Stops(&[
            0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.999,
        ])),
    ),
    common("reward_loss_coef", "α_R, reward loss", Some(Slider::ZeroAndDecades(-5, 0))),
    common("transition_loss_coef", "α_P, transition loss", Some(Slider::ZeroAndDecades(-5, 0))),
    common("num_envs", "Environments N", Some(Slider::Powers(0, 9))),
    common("num_steps", "Steps T per iteration", Some(Slider::Powers(0, 9))),
    common("total_timesteps", "Total steps", Some(Slider::Powers(12, 20))),
    common("certified", "Certified run", None),
    rare("gae_lambda", "GAE λ", Some(Slider::Even(0.0, 1.0, 0.01))),
    rare("update_epochs", "Epochs per iteration", Some(Slider::Even(1.0, 20.0, 1.0))),
    rare("num_minibatches", "Minibatches per epoch", Some(Slider::Powers(0, 6))),
    rare("anneal_lr", "Decay the learning rate", None),
    rare("adam_eps", "Adam's epsilon", Some(Slider::Decades(-8, -2))),
    rare("max_grad_norm", "Largest gradient norm", Some(Slider::Decades(-2, 2))),
    rare("norm_adv", "Normalise advantages", None),
    rare("objective", "Surrogate", None),
    rare("drift_coef", "Drift weight", Some(Slider::ZeroAndDecades(-2, 1))),
    rare("ent_coef", "Entropy bonus", Some(Slider::ZeroAndDecades(-4, 0))),
    rare("vf_coef", "Value loss weight", Some(Slider::ZeroAndDecades(-2, 1))),
    rare("value_loss", "Value loss", None),
    rare("transition_density", "Transition model", None),
    rare("lipschitz_nets", "Lipschitz networks", None),
    rare("spectral_mode", "Spectral normalisation", None),
    rare("mixture_layout", "Mixture layout", None),
    rare("latent_distance", "Latent distance", None),
    rare(
        "transition_balance",
        "Gradient of l_P to the prediction",
        Some(Slider::Even(0.0, 0.95, 0.05)),
    ),
    rare("use_feature_group", "Feature groups", None),
    rare("done_predictor", "Predict ends of episodes", None),
    rare("done_labels", "Labels after an end", None),
    rare("lambda_gp", "Gradient penalty", Some(Slider::ZeroAndDecades(-4, 0))),
    rare("gradient_penalty", "Wanted slope", None),
    rare("piecewise_auxiliary_ratio", "Losses per sample in the clip", None),
    rare("n_cat", "Categories", Some(Slider::Powers(0, 6))),
    rare("n_cls", "Classes of a category", Some(Slider::Powers(1, 6))),
    rare("categorical_network", "Network of categories", None),
    rare("categorical_cost", "l_P of categories", None),
    rare("cost_target", "Target of the cost", None),
    rare("softmoe_layout", "Order of expert outputs", None),
    rare("use_gumbel_softmax", "Gumbel-softmax samples", None),
    rare("clip_reward_net_output", "Bound predicted rewards", None),
    rare("weight_decay", "Weight decay (transformer)", Some(Slider::ZeroAndDecades(-6, -2))),
    rare("activation", "Activation", None),
    rare("use_layer_norm", "Layer normalisation", None),
    rare("layer_norm_cnn_output", "Layer normalisation of latents", None),
    rare("hadamard_representation", "Hadamard representation", None),
    rare("dreamer_architecture", "Networks of Dreamer's size", None),
    rare("decoupled_repr", "Own networks of the critic", None),
    rare("use_attention", "Attention over categories", None),
    rare("encoder_learning_rate", "Learning rate, encoder", Some(Slider::Decades(-5, -1))),
    rare("world_model_learning_rate", "Learning rate, world model", Some(Slider::Decades(-5, -1))),
    rare("actor_learning_rate", "Learning rate, actor", Some(Slider::Decades(-5, -1))),
    rare("critic_learning_rate", "Learning rate, critic", Some(Slider::Decades(-5, -1))),
    rare("imagination_horizon", "Imagined steps H", Some(Slider::Powers(0, 6))),
    rare("wm_clip_coef", "Clip range, real steps", Some(Slider::Even(0.005, 0.995, 0.005))),
    rare("progressive", "Growth of imagination", None),
    rare("dyna_style", "Policy learns on real steps, too", None),
    rare("n_imagination_rollouts", "Imagined rollouts", Some(Slider::Even(1.0, 8.0, 1.0))),
    rare("imagination_epochs", "Epochs, imagined steps", Some(Slider::Even(1.0, 20.0, 1.0))),
    rare(
        "imagination_num_minibatches",
        "Minibatches, imagined steps (0: automatic)",
        Some(Slider::Stops(&[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])),
    ),
    rare("soft_done", "Soft imagined ends", None),
    rare("imagined_ends", "Drawn imagined ends", None),
    rare("wasserstein_discriminator", "Discriminator for l_P", None),
    rare("discriminator_obs_encoder", "Discriminator sees frames", None),
    rare("dream_weight_decay", "Weight decay", Some(Slider::ZeroAndDecades(-6, -2))),
    rare("disable_wd_ac", "No weight decay of the policy", None),
    rare("use_replay_buffer", "Replay buffer", None),
    rare(
        "replay_capacity",
        "Steps of the buffer",
        Some(Slider::Stops(&[20_000.0, 50_000.0, 100_000.0, 200_000.0, 500_000.0])),
    ),
    rare(
        "replay_start",
        "Steps before the first update",
        Some(Slider::Stops(&[1_000.0, 2_500.0, 5_000.0, 12_500.0, 20_000.0])),
    ),
    rare("replay_sequences", "Sequences of an update", Some(Slider::Powers(2, 8))),
    rare("replay_length", "Steps of a sequence", Some(Slider::Powers(1, 6))),
    rare("env_steps_per_wm_update", "Real steps per update", Some(Slider::Powers(0, 10))),
    rare("prioritize_new_samples", "Share of new sequences", Some(Slider::Even(0.0, 1.0, 0.05))),
    rare("use_v_trace", "V-trace", None),
    rare("dream_mode", "Order of updates", None),
];

/// Label of a field together with the part to which it belongs.
#[must_use]
pub fn label(scope: Scope, field: &str) -> String {
    let mut controls = MAZE.iter().chain(GAME).chain(std::iter::once(&SEED)).chain(AGENT);
    let label = controls.find(|control| control.name == field).map_or(field, |known| known.label);
    match scope {
        Scope::Maze | Scope::Game => label.to_owned(),
        Scope::Agent(0) => format!("{label}, agent A"),
        Scope::Agent(_) => format!("{label}, agent B"),
    }
}

impl Control {
    /// The struct's description of the field, for this part of the experiment.
    ///
    /// # Panics
    /// If the field does not belong to this part; a test excludes this for the lists of this
    /// module.
    #[must_use]
    #[expect(clippy::expect_used, reason = "lists in this file, checked by a test")]
    pub fn info(&self, scope: Scope) -> &'static FieldInfo {
        scope.fields().iter().find(|info| info.name == self.name).expect("a field of the struct")
    }

    /// Whether it is a number.
    #[must_use]
    pub fn is_number(&self, scope: Scope) -> bool {
        matches!(self.info(scope).kind, FieldKind::Whole | FieldKind::Real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All controls, each with the part of the experiment that it changes.
    fn controls() -> Vec<(Scope, &'static Control)> {
        let maze = MAZE.iter().map(|control| (Scope::Maze, control));
        let agents = (0..AGENTS).flat_map(|agent| {
            let all = std::iter::once(&SEED).chain(AGENT);
            all.map(move |control| (Scope::Agent(agent), control))
        });
        let game = GAME.iter().map(|control| (Scope::Game, control));
        maze.chain(game).chain(agents).collect()
    }

    #[test]
    fn every_field_has_one_control_of_its_kind() {
        for scope in Scope::ALL {
            for info in scope.fields() {
                let mine = |(s, c): &&(Scope, &Control)| *s == scope && c.name == info.name;
                let all = controls();
                let found: Vec<_> = all.iter().filter(mine).collect();
                assert_eq!(found.len(), 1, "{} in {scope:?}", info.name);
                let control = found[0].1;
                let slides = control.slider.is_some() || control.name == SEED.name;
                assert_eq!(slides, control.is_number(scope), "{}", info.name);
            }
        }
        for (scope, control) in controls() {
            assert_eq!(control.info(scope).name, control.name);
        }
    }

    #[test]
    fn every_stop_is_accepted_and_the_default_is_one() {
        for (scope, control) in controls() {
            let Some(slider) = control.slider else { continue };
            let stops = slider.stops();
            for stop in &stops {
                let mut experiment = Experiment::default();
                enter(&mut experiment, scope, control.name, stop).expect(control.name);
                assert_eq!(experiment.errors(), [], "{} = {stop}", control.name);
                assert_eq!(scope.get(&experiment, control.name).as_ref(), Some(stop));
            }
            let values: Vec<f64> = stops.iter().map(|s| s.parse().expect("a number")).collect();
            assert!(values.is_sorted_by(|a, b| a < b), "{}: {stops:?}", control.name);
            let default = default_of(scope, control.name);
            assert_eq!(stops[nearest_stop(&stops, &default)], default, "{}", control.name);
        }
    }

    #[test]
    fn an_experiment_survives_the_form() {
        let mut experiment = Experiment::default();
        experiment.maze.cue = 0.3;
        experiment.set_seed(u64::MAX);
        experiment.agents[1] = experiment.agents[1].clone().certify();
        experiment.agents[0].clip_coef = f32::from_bits(0x3dcc_ccce);
        for original in [Experiment::default(), experiment] {
            let mut copy = Experiment::default();
            // `certified` is the last field of the struct, and must not undo the fields set before.
            for (scope, control) in controls() {
                let text = scope.get(&original, control.name).expect("a field");
                scope.set(&mut copy, control.name, &text).expect("its own text");
            }
            assert_eq!(copy, original);
        }
    }

    #[test]
    fn certified_brings_what_it_needs_and_takes_it_back() {
        let mut experiment = Experiment::default();
        enter(&mut experiment, Scope::Agent(1), "certified", "true").expect("a flag");
        assert_eq!(experiment.agents[1], Experiment::default().agents[1].clone().certify());
        assert_eq!(experiment.errors(), []);
        enter(&mut experiment, Scope::Agent(1), "certified", "false").expect("a flag");
        assert_eq!(experiment, Experiment::default());
    }

    #[test]
    fn the_seed_is_that_of_both_and_rubbish_changes_nothing() {
        let mut experiment = Experiment::default();
        enter(&mut experiment, Scope::Agent(0), "seed", "7").expect("a seed");
        assert_eq!(experiment.agents.each_ref().map(|agent| agent.seed), [7, 7]);
        for rubbish in ["", "-1", "1.5", "<b>"] {
            enter(&mut experiment, Scope::Agent(0), "seed", rubbish).expect_err("no seed");
        }
        assert_eq!(experiment.seed(), 7);
        Scope::Agent(9).set(&mut experiment, "gamma", "0.5").expect_err("no such agent");
    }

    #[test]
    fn documentation_becomes_plain_text() {
        assert_eq!(plain("the *squared* norm, `a * b` of `*c*`"), "the squared norm, a * b of c");
        for (scope, control) in controls() {
            let text = plain(&control.info(scope).description());
            assert!(!text.contains('`') && text.ends_with('.'), "{text}");
        }
    }
}
