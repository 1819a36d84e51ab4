//! The control of each hyper-parameter: its label, whether it is always shown, and the stops of its
//! slider.
//!
//! Names, defaults, choices and descriptions come from the structs ([`Config::FIELD_INFO`],
//! [`MazeConfig::FIELD_INFO`], [`AtariTraining::FIELD_INFO`]); this module adds only what a form needs. A test below fails for a
//! field without a control, and for a stop that validation refuses. A slider covers the useful
//! range; the number box beside it accepts every valid value.

mod controls;

use deepspi_options::{FieldInfo, FieldKind, FieldValue, SetError};
use deepspi_playground::experiment::{AGENTS, ENV, Experiment};
use deepspi_run::config::{Algorithm, Config};
use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::maze::MazeConfig;

pub use self::controls::{AGENT, GAME, MAZE, SEED, rare_headings};

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
