//! DreamSPI on the maze: its forms beside DeepSPI and PPO, and the error of the world model by horizon.

use anyhow::Result;
use deepspi_run::config::{
    Algorithm, Config, DoneLabels, DreamConfig, DreamMode, ImaginedEnds, Progressive,
    TransitionDensity,
};
use deepspi_run::maze::HorizonError;
use serde_json::json;

use super::experiment::{Dreams, Experiment, Record};
use super::kept_runs::KeptRuns;
use super::layers::{banded, over_training, reference};
use super::maze::references;
use super::methods::{final_distance, final_value, seeded, summary};
use super::output::{Output, describe};
use crate::chart::table::Table;
use crate::chart::{Axis, Colour, Figure, Panel};
use crate::stats::median;

/// A form of an algorithm that is compared.
struct Form {
    /// Name in figures and tables.
    name: &'static str,
    /// What differs from the preset.
    change: fn(&mut Experiment),
    /// Whether its values are drawn; the table has all.
    drawn: bool,
}

/// All forms. Of the last ones each has one defect of the authors' code.
const FORMS: [Form; 26] = [
    drawn("PPO", |e| e.config.algo = Algorithm::Ppo),
    form("PPO, 8 times the steps", |e| longer(e, Algorithm::Ppo, 8)),
    drawn("DeepSPI", |e| e.config.algo = Algorithm::DeepSpi),
    form("DeepSPI, 3 times the steps", |e| longer(e, Algorithm::DeepSpi, 3)),
    drawn("DreamSPI, exponential", |e| _ = exponential(e)),
    drawn("DreamSPI, linear", |e| _ = dream(e, Progressive::Linear)),
    drawn("DreamSPI, dyna", |e| imagined(e).dream.dyna_style = true),
    drawn("DreamSPI, imagination only", |e| _ = imagined(e)),
    form("DreamSPI, imagination only, the authors' rates", |e| {
        e.config.algo = Algorithm::DreamSpi;
        e.config.dream = DreamConfig::DEFAULT;
    }),
    form("DreamSPI, imagination only, replay", |e| imagined(e).dream.use_replay_buffer = true),
    form("DreamSPI, imagination only, free networks", |e| plain(imagined(e))),
    form("DreamSPI, imagination only, categorical", |e| categorical(imagined(e))),
    form("DreamSPI, imagination only, deterministic", |e| deterministic(imagined(e))),
    form("DreamSPI, exponential, deterministic", |e| deterministic(exponential(e))),
    form("DreamSPI, imagination only, losses x100", |e| _ = heavier(imagined(e))),
    form("DreamSPI, exponential, losses x100", |e| _ = heavier(exponential(e))),
    form("DreamSPI, imagination only, deterministic, losses x100", |e| {
        deterministic(heavier(imagined(e)));
    }),
    form("DreamSPI, exponential, deterministic, losses x100", |e| {
        deterministic(heavier(exponential(e)));
    }),
    form("DreamSPI, exponential, free networks", |e| plain(exponential(e))),
    form("DreamSPI, exponential, categorical", |e| categorical(exponential(e))),
    form("D19: stale gradients, imagination only", |e| stale(imagined(e))),
    form("D19: stale gradients, exponential", |e| stale(exponential(e))),
    form("D22: done labels, imagination only", |e| {
        imagined(e).world_model.done_labels = DoneLabels::Parity;
    }),
    form("D30: lost ends, imagination only", |e| {
        imagined(e).dream.imagined_ends = ImaginedEnds::Parity;
    }),
    form("D22: done labels, exponential", |e| {
        exponential(e).world_model.done_labels = DoneLabels::Parity;
    }),
    form("D30: lost ends, exponential", |e| {
        exponential(e).dream.imagined_ends = ImaginedEnds::Parity;
    }),
];

const fn form(name: &'static str, change: fn(&mut Experiment)) -> Form {
    Form { name, change, drawn: false }
}

const fn drawn(name: &'static str, change: fn(&mut Experiment)) -> Form {
    Form { name, change, drawn: true }
}

/// DreamSPI with the rates of the preset.
const fn dream(experiment: &mut Experiment, progressive: Progressive) -> &mut Config {
    experiment.config.algo = Algorithm::DreamSpi;
    experiment.config.dream.progressive = progressive;
    &mut experiment.config
}

const fn imagined(experiment: &mut Experiment) -> &mut Config {
    dream(experiment, Progressive::Off)
}

const fn exponential(experiment: &mut Experiment) -> &mut Config {
    dream(experiment, Progressive::Exponential)
}

const fn plain(config: &mut Config) {
    config.world_model.lipschitz_nets = false;
}

const fn categorical(config: &mut Config) {
    config.world_model.transition_density = TransitionDensity::Categorical;
}

const fn deterministic(config: &mut Config) {
    config.world_model.transition_density = TransitionDensity::Deterministic;
}

const fn stale(config: &mut Config) {
    config.dream.dream_mode = DreamMode::Parity;
}

/// Larger weights of the world model's losses. With those of the paper the gradients of its networks are
/// of the size of Adam's epsilon, 1e-5, or smaller, so that they hardly move.
const fn heavier(config: &mut Config) -> &mut Config {
    config.world_model.reward_loss_coef *= 100.0;
    config.world_model.transition_loss_coef *= 100.0;
    config
}

/// An algorithm with a multiple of the steps, for comparison at equal time.
fn longer(experiment: &mut Experiment, algo: Algorithm, factor: u64) {
    experiment.config.algo = algo;
    experiment.config.total_timesteps *= factor;
}

/// Forms whose model errors are drawn, and whether early in training, too. There are not more colours.
const DREAMERS: [(&str, bool); 4] = [
    ("DreamSPI, exponential", true),
    ("DreamSPI, exponential, free networks", true),
    ("DreamSPI, exponential, deterministic, losses x100", false),
    ("DeepSPI", false),
];

/// The form in whose states a perfect model is measured.
const PERFECT: &str = DREAMERS[0].0;

/// `figures dream`.
///
/// # Errors
/// If a run fails.
pub fn make(kept_runs: &KeptRuns, base: &Experiment, seeds: u64) -> Result<Vec<Output>> {
    let of_form = |form: &Form| {
        let mut experiment = base.clone();
        (form.change)(&mut experiment);
        seeded(&experiment, seeds)
    };
    let wanted: Vec<Experiment> = FORMS.iter().flat_map(of_form).collect();
    let records = kept_runs.records("dream", &wanted)?;
    let groups: Vec<(&Form, &[Record])> =
        FORMS.iter().zip(records.chunks(seeds as usize)).collect();
    let [best, right] = references(base)?;
    let mut value = vec![reference("optimum", best), reference("always RIGHT", right)];
    let mut distance = Vec::new();
    for (index, (form, group)) in groups.iter().filter(|(form, _)| form.drawn).enumerate() {
        let colour = Colour::Series(index);
        value.extend(banded(form.name, colour, &over_training(*group, 0, |p| p.start_value)));
        let relative = over_training(*group, 0, |p| p.relative_star_distance);
        distance.extend(banded(form.name, colour, &relative));
    }
    let panel = |title: &str, x: &str, y: &str, layers| Panel {
        title: title.into(),
        x: Axis::linear(x),
        y: Axis::linear(y),
        layers,
        legend: false,
    };
    let subtitle = Some(format!(
        "preset {}; median and 95 % bootstrap band over {seeds} seeds",
        base.preset()
    ));
    let values = Figure {
        title: "DreamSPI on the maze, beside DeepSPI and PPO".into(),
        subtitle: subtitle.clone(),
        panels: vec![
            panel("Value of the policy", "agent steps", "V(s_I)", value),
            panel("Latents of the stars", "agent steps", "relative distance", distance),
        ],
        columns: 2,
        shared_legend: true,
        footnote: None,
    };
    let mut panels = Vec::new();
    for Error { title, y, own, best } in ERRORS {
        let mut layers = Vec::new();
        let mut colours = 0;
        for (name, is_early_drawn) in DREAMERS {
            let found = groups.iter().find(|(form, _)| form.name == name);
            let Some((_, group)) = found else { continue };
            for (when, label) in [(0, "early"), (usize::MAX, "at the end")] {
                if when == 0 && !is_early_drawn {
                    continue;
                }
                let curves = by_horizon(group, when, own);
                layers.extend(banded(format!("{name}, {label}"), Colour::Series(colours), &curves));
                colours += 1;
            }
        }
        let perfect = groups.iter().find(|(form, _)| form.name == PERFECT);
        if let (Some((_, group)), Some(best)) = (perfect, best) {
            let curves = by_horizon(group, usize::MAX, best);
            layers.extend(banded("a perfect model", Colour::Grey, &curves));
        }
        panels.push(panel(title, "imagined steps", y, layers));
    }
    let errors_by_horizon = Figure {
        title: "How far imagined rollouts are from real ones".into(),
        subtitle,
        panels,
        columns: 2,
        shared_legend: true,
        footnote: Some(format!(
            "The same actions in the maze and in the world model, from every state; rollouts that have \
                 really ended are left out, and so are runs with fewer than {ENOUGH} at a horizon and horizons with \
             fewer than half of the runs."
        )),
    };
    let settings = json!({
        "experiment": describe(base),
        "seeds": seeds,
        "optimum": best,
        "always_right": right,
        "device": kept_runs.device().description,
    });
    let table = ends(&groups, right)?;
    Ok(vec![
        Output { name: "dream".into(), figure: values, table, settings: settings.clone() },
        Output {
            name: "dream-errors".into(),
            figure: errors_by_horizon,
            table: errors(&groups)?,
            settings,
        },
    ])
}

/// A number of an error.
type Quantity = fn(&HorizonError) -> f64;

/// A kind of error.
struct Error {
    /// Title of its panel.
    title: &'static str,
    /// What its axis shows.
    y: &'static str,
    /// That of the model.
    own: Quantity,
    /// That of a perfect model, if it is not 0.
    best: Option<Quantity>,
}
/// The errors that are drawn.
const ERRORS: [Error; 4] = [
    Error { title: "Reward", y: "mean error", own: |error| error.reward, best: None },
    Error { title: "Value", y: "mean error", own: |error| error.value, best: None },
    Error {
        title: "Latent",
        y: "mean distance, relative",
        own: |error| error.latent.unwrap_or(f64::NAN),
        best: Some(|error| error.repeat_latent.unwrap_or(f64::NAN)),
    },
    Error {
        title: "Nearest state is the true one",
        y: "share of rollouts",
        own: |error| error.nearest,
        best: Some(|error| error.repeat_nearest),
    },
];
/// Fewest rollouts of a run at a horizon for which its error is drawn.
const ENOUGH: usize = 32;

/// A curve over horizons for each run, at its first or last time of measurement; up to the horizon at
/// which half of the runs have enough rollouts.
fn by_horizon(records: &[Record], when: usize, quantity: Quantity) -> Vec<Vec<(f64, f64)>> {
    let of = |record: &Record| -> Option<Vec<(f64, f64)>> {
        let Dreams { errors, .. } = record.dreams.get(when.min(record.dreams.len() - 1))?;
        let enough = errors.iter().filter(|error| error.rollouts >= ENOUGH);
        Some(enough.map(|error| (error.horizon as f64, quantity(error))).collect())
    };
    let measured = records.iter().filter(|record| !record.dreams.is_empty());
    let mut curves: Vec<Vec<(f64, f64)>> = measured.filter_map(of).collect();
    let mut lengths: Vec<usize> = curves.iter().map(Vec::len).collect();
    lengths.sort_unstable();
    let longest = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    for curve in &mut curves {
        curve.truncate(longest);
    }
    curves
}

/// What each form reaches.
fn ends(groups: &[(&Form, &[Record])], right: f64) -> Result<Table> {
    let mut table = Table::new(&[
        "form",
        "runs",
        "start_value_median",
        "start_value_low",
        "start_value_high",
        "runs_above_always_right",
        "relative_star_distance_median",
        "runs_with_merged_stars",
        "diverged",
        "seconds_median",
    ]);
    for (form, group) in groups {
        let values: Vec<f64> = group.iter().map(final_value).collect();
        let distances: Vec<f64> = group.iter().map(final_distance).collect();
        let Some(value) = summary(&values) else { continue };
        let seconds: Vec<f64> = group.iter().map(|record| record.seconds).collect();
        table.push(&[
            &form.name,
            &group.len(),
            &value.median,
            &value.interval.low,
            &value.interval.high,
            &values.iter().filter(|v| **v > right + ABOVE).count(),
            &median(&distances).unwrap_or(f64::NAN),
            &distances.iter().filter(|d| **d < MERGED).count(),
            &group.iter().filter(|record| record.failure.is_some()).count(),
            &median(&seconds).unwrap_or(f64::NAN),
        ])?;
    }
    Ok(table)
}

/// How much better than the best policy that cannot tell the stars apart a run must be to count.
const ABOVE: f64 = 0.1;
/// Relative distance below which the latents of the stars count as one.
const MERGED: f64 = 1e-3;

/// Medians over runs of the errors by horizon. `rollouts` is the sum over the `runs` that have any.
fn errors(groups: &[(&Form, &[Record])]) -> Result<Table> {
    let mut table = Table::new(&[
        "form",
        "measured",
        "horizon",
        "runs",
        "rollouts",
        "reward",
        "value",
        "latent",
        "nearest",
        "end",
        "repeat_latent",
        "repeat_nearest",
    ]);
    for (form, group) in groups {
        let times = group.iter().map(|record| record.dreams.len()).max().unwrap_or(0);
        for time in 0..times {
            let of_run =
                |record: &Record| record.dreams.get(time).map(|dreams| dreams.errors.clone());
            let all: Vec<HorizonError> = group.iter().filter_map(of_run).flatten().collect();
            let longest = all.iter().map(|error| error.horizon).max().unwrap_or(0);
            for horizon in 1..=longest {
                let errors: Vec<&HorizonError> =
                    all.iter().filter(|error| error.horizon == horizon).collect();
                let middle = |quantity: &dyn Fn(&HorizonError) -> Option<f64>| {
                    let values: Vec<f64> =
                        errors.iter().filter_map(|error| quantity(error)).collect();
                    median(&values).map_or_else(String::new, |value| format!("{value:.4}"))
                };
                table.push(&[
                    &form.name,
                    &format!("{} of {times}", time + 1),
                    &horizon,
                    &errors.len(),
                    &errors.iter().map(|error| error.rollouts).sum::<usize>(),
                    &middle(&|error| Some(error.reward)),
                    &middle(&|error| Some(error.value)),
                    &middle(&|error| error.latent),
                    &middle(&|error| Some(error.nearest)),
                    &middle(&|error| error.end),
                    &middle(&|error| error.repeat_latent),
                    &middle(&|error| Some(error.repeat_nearest)),
                ])?;
            }
        }
    }
    Ok(table)
}
