//! DreamSPI on the maze: its forms beside DeepSPI and PPO, and the error of the world model by horizon.

use anyhow::Result;
use deepspi_run::config::{
    Algorithm, DoneLabels, DreamConfig, DreamMode, ImaginedEnds, Progressive, TransitionDensity,
};
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
const FORMS: [Form; 18] = [
    Form { name: "PPO", change: |e| e.config.algo = Algorithm::Ppo, drawn: true },
    Form { name: "PPO, 8 times the steps", change: |e| longer(e, Algorithm::Ppo, 8), drawn: false },
    Form { name: "DeepSPI", change: |e| e.config.algo = Algorithm::DeepSpi, drawn: true },
    Form {
        name: "DeepSPI, 3 times the steps",
        change: |e| longer(e, Algorithm::DeepSpi, 3),
        drawn: false,
    },
    Form {
        name: "DreamSPI, exponential",
        change: |e| dream(e, Progressive::Exponential),
        drawn: true,
    },
    Form { name: "DreamSPI, linear", change: |e| dream(e, Progressive::Linear), drawn: true },
    Form {
        name: "DreamSPI, dyna",
        change: |e| {
            dream(e, Progressive::Off);
            e.config.dream.dyna_style = true;
        },
        drawn: true,
    },
    Form {
        name: "DreamSPI, imagination only",
        change: |e| dream(e, Progressive::Off),
        drawn: true,
    },
    Form {
        name: "DreamSPI, imagination only, the authors' rates",
        change: |e| {
            e.config.algo = Algorithm::DreamSpi;
            e.config.dream = DreamConfig::DEFAULT;
        },
        drawn: false,
    },
    Form {
        name: "DreamSPI, imagination only, replay",
        change: |e| {
            dream(e, Progressive::Off);
            e.config.dream.use_replay_buffer = true;
        },
        drawn: false,
    },
    Form {
        name: "DreamSPI, imagination only, plain networks",
        change: |e| {
            dream(e, Progressive::Off);
            e.config.world_model.lipschitz_nets = false;
        },
        drawn: false,
    },
    Form {
        name: "DreamSPI, imagination only, categorical",
        change: |e| {
            dream(e, Progressive::Off);
            e.config.world_model.transition_density = TransitionDensity::Categorical;
        },
        drawn: false,
    },
    Form {
        name: "DreamSPI, exponential, plain networks",
        change: |e| {
            dream(e, Progressive::Exponential);
            e.config.world_model.lipschitz_nets = false;
        },
        drawn: false,
    },
    Form {
        name: "DreamSPI, exponential, categorical",
        change: |e| {
            dream(e, Progressive::Exponential);
            e.config.world_model.transition_density = TransitionDensity::Categorical;
        },
        drawn: false,
    },
    Form {
        name: "D19: stale gradients, imagination only",
        change: |e| {
            dream(e, Progressive::Off);
            e.config.dream.dream_mode = DreamMode::Parity;
        },
        drawn: false,
    },
    Form {
        name: "D19: stale gradients, exponential",
        change: |e| {
            dream(e, Progressive::Exponential);
            e.config.dream.dream_mode = DreamMode::Parity;
        },
        drawn: false,
    },
    Form {
        name: "D22: done labels, imagination only",
        change: |e| {
            dream(e, Progressive::Off);
            e.config.world_model.done_labels = DoneLabels::Parity;
        },
        drawn: false,
    },
    Form {
        name: "D30: lost ends, imagination only",
        change: |e| {
            dream(e, Progressive::Off);
            e.config.dream.imagined_ends = ImaginedEnds::Parity;
        },
        drawn: false,
    },
];

/// DreamSPI with the rates of the preset.
fn dream(experiment: &mut Experiment, progressive: Progressive) {
    experiment.config.algo = Algorithm::DreamSpi;
    experiment.config.dream.progressive = progressive;
}

/// An algorithm with a multiple of the steps, for comparison at equal time.
fn longer(experiment: &mut Experiment, algo: Algorithm, factor: u64) {
    experiment.config.algo = algo;
    experiment.config.total_timesteps *= factor;
}

/// Forms whose model errors are drawn.
const DREAMERS: [&str; 3] = [
    "DreamSPI, imagination only",
    "DreamSPI, imagination only, plain networks",
    "DreamSPI, exponential",
];

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
        base.maze.preset.name()
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
    for (title, quantity) in ERRORS {
        let mut layers = Vec::new();
        let shown = groups.iter().filter(|(form, _)| DREAMERS.contains(&form.name));
        for (index, (form, group)) in shown.enumerate() {
            for (when, name) in [(0, "early"), (usize::MAX, "at the end")] {
                let curves = by_horizon(group, when, quantity);
                let colour = Colour::Series(2 * index + usize::from(when > 0));
                layers.extend(banded(format!("{}, {name}", form.name), colour, &curves));
            }
        }
        panels.push(panel(title, "imagined steps", "mean error", layers));
    }
    let errors_by_horizon = Figure {
        title: "How far imagined rollouts are from real ones".into(),
        subtitle,
        panels,
        columns: 2,
        shared_legend: true,
        footnote: Some(
            "The same actions in the maze and in the world model, from every state; rollouts that have \
             really ended are left out."
                .into(),
        ),
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
            name: "dream_errors".into(),
            figure: errors_by_horizon,
            table: errors(&groups)?,
            settings,
        },
    ])
}

/// A kind of error.
type Quantity = fn(&deepspi_run::maze::HorizonError) -> f64;
/// The errors that are drawn.
const ERRORS: [(&str, Quantity); 4] = [
    ("Reward", |error| error.reward),
    ("Value", |error| error.value),
    ("Latent, relative", |error| error.latent.unwrap_or(f64::NAN)),
    ("Nearest state is the true one", |error| error.nearest),
];

/// A curve over horizons for each run, at its first or last time of measurement.
fn by_horizon(records: &[Record], when: usize, quantity: Quantity) -> Vec<Vec<(f64, f64)>> {
    let of = |record: &Record| {
        let Dreams { errors, .. } = record.dreams.get(when.min(record.dreams.len() - 1))?;
        Some(errors.iter().map(|error| (error.horizon as f64, quantity(error))).collect())
    };
    records.iter().filter(|record| !record.dreams.is_empty()).filter_map(of).collect()
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

/// The error of each run by horizon.
fn errors(groups: &[(&Form, &[Record])]) -> Result<Table> {
    let mut table = Table::new(&[
        "form",
        "seed",
        "agent_steps",
        "horizon",
        "rollouts",
        "reward",
        "value",
        "latent",
        "nearest",
        "end",
    ]);
    for (form, group) in groups {
        for record in *group {
            for dreams in &record.dreams {
                for error in &dreams.errors {
                    table.push(&[
                        &form.name,
                        &record.experiment.config.seed,
                        &dreams.global_step,
                        &error.horizon,
                        &error.rollouts,
                        &error.reward,
                        &error.value,
                        &error.latent.map_or_else(String::new, |latent| latent.to_string()),
                        &error.nearest,
                        &error.end.map_or_else(String::new, |end| end.to_string()),
                    ])?;
                }
            }
        }
    }
    Ok(table)
}
