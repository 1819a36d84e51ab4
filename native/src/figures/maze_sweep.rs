//! Final values of the maze experiment as a function of one quantity.

use anyhow::Result;
use clap::ValueEnum;
use deepspi_plot::number;
use deepspi_run::config::{Algorithm, SpectralMode, WorldModelConfig};
use deepspi_worlds::maze::Maze;
use serde::Serialize;
use serde_json::json;

use super::experiment::{Experiment, Record};
use super::kept_runs::KeptRuns;
use super::layers::reference;
use super::maze::references;
use super::methods::{METHODS, all_methods, colour, final_distance, final_value, marker, summary};
use super::output::{Output, describe};
use crate::chart::table::Table;
use crate::chart::{Axis, Figure, Layer, Mark, Panel, Points};

/// The quantity that is swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweptQuantity {
    /// Length of the corridors.
    NPath,
    /// Probability of the lower corridor.
    Epsilon,
    /// C of the neighbourhood, `1 + clip-coef`; the smallest value is 1/gamma.
    Clip,
    /// Coefficient of the reward loss.
    AlphaR,
    /// Coefficient of the transition loss.
    AlphaP,
    /// Normalisation of the world model: off, as in the authors' code, or exact.
    Lipschitz,
}

impl SweptQuantity {
    const fn name(self) -> &'static str {
        match self {
            Self::NPath => "n-path",
            Self::Epsilon => "epsilon",
            Self::Clip => "clip",
            Self::AlphaR => "alpha-r",
            Self::AlphaP => "alpha-p",
            Self::Lipschitz => "lipschitz",
        }
    }

    const fn axis(self) -> &'static str {
        match self {
            Self::NPath => "corridor length n",
            Self::Epsilon => "probability of the lower corridor, epsilon",
            Self::Clip => "C = 1 + clip-coef",
            Self::AlphaR => "alpha_R",
            Self::AlphaP => "alpha_P",
            Self::Lipschitz => "world model",
        }
    }

    /// The values of the quantity, each with its name and its experiment.
    fn values(self, base: &Experiment) -> Vec<(String, Experiment)> {
        let change = |name: String, change: &dyn Fn(&mut Experiment)| {
            let mut experiment = base.clone();
            change(&mut experiment);
            (name, experiment)
        };
        let world_model = |name: &str, set: &dyn Fn(&mut WorldModelConfig)| {
            change(name.to_owned(), &|e| set(&mut e.config.world_model))
        };
        match self {
            Self::NPath => [3, 5, 8, 10]
                .into_iter()
                .map(|n| change(n.to_string(), &|e| e.maze.n_path = n))
                .collect(),
            Self::Epsilon => [0.05, 0.2, 0.4]
                .into_iter()
                .map(|epsilon| change(number(epsilon), &|e| e.maze.epsilon = epsilon))
                .collect(),
            Self::Clip => {
                let limit = 1.0 / base.config.gamma - 1.0;
                [(limit, format!("1/gamma = {:.3}", 1.0 + limit))]
                    .into_iter()
                    .chain(
                        [0.1, 0.2, 0.5, 0.8].map(|clip: f32| (clip, format!("{:.1}", 1.0 + clip))),
                    )
                    .map(|(clip, name)| change(name, &|e| e.config.clip_coef = clip))
                    .collect()
            }
            Self::AlphaR => [0.0, 0.01, 0.1, 1.0]
                .into_iter()
                .map(|x| world_model(&number(x.into()), &|model| model.reward_loss_coef = x))
                .collect(),
            Self::AlphaP => [0.0, 0.000_5, 0.005, 0.05]
                .into_iter()
                .map(|x| world_model(&number(x.into()), &|model| model.transition_loss_coef = x))
                .collect(),
            Self::Lipschitz => vec![
                world_model("off", &|model| model.lipschitz_nets = false),
                world_model("parity", &|model| model.spectral_mode = SpectralMode::Parity),
                world_model("exact", &|model| model.spectral_mode = SpectralMode::Exact),
            ],
        }
    }

    /// Whether the algorithm reads the quantity; otherwise all of its runs would be equal.
    fn concerns(self, algo: Algorithm) -> bool {
        match self {
            Self::NPath | Self::Epsilon => true,
            Self::Clip => algo.reads("clip_coef"),
            Self::AlphaR => algo.reads("reward_loss_coef"),
            Self::AlphaP => algo.reads("transition_loss_coef"),
            Self::Lipschitz => algo.reads("lipschitz_nets"),
        }
    }
}

/// `figures maze --sweep ...`.
///
/// # Errors
/// If a run fails.
pub fn make(
    kept_runs: &KeptRuns,
    base: &Experiment,
    seeds: u64,
    sweep: SweptQuantity,
) -> Result<Vec<Output>> {
    let values = sweep.values(base);
    let mut wanted = Vec::new();
    for (_, experiment) in &values {
        // An impossible maze must be refused before hours of training, not after.
        Maze::new(experiment.maze, experiment.config.gamma.into())?;
        let of_value = all_methods(experiment, seeds);
        wanted.push(of_value.into_iter().filter(|e| sweep.concerns(e.config.algo)).collect());
    }
    let wanted: Vec<Vec<Experiment>> = wanted;
    let label_of_runs = format!("maze by {}", sweep.name());
    let records = kept_runs.records(&label_of_runs, &wanted.concat())?;
    let mut rest = records.as_slice();
    let mut cells: Vec<Vec<Record>> = Vec::new();
    for group in &wanted {
        let (cell, others) = rest.split_at(group.len());
        cells.push(cell.to_vec());
        rest = others;
    }

    let names: Vec<String> = values.iter().map(|(name, _)| name.clone()).collect();
    let references: Vec<[f64; 2]> =
        values.iter().map(|(_, e)| references(e)).collect::<Result<_>>()?;
    // If the optimum changes along the axis, values are shown as a share of the way to it.
    let moving = references.windows(2).any(|pair| (pair[0][0] - pair[1][0]).abs() > 1e-9);
    let value = |record: &Record, [best, right]: [f64; 2]| {
        let value = final_value(record);
        if moving { (value - right) / (best - right) } else { value }
    };
    let series = |quantity: &dyn Fn(&Record, [f64; 2]) -> f64| -> Vec<Layer> {
        let methods = METHODS.into_iter().filter(|algo| sweep.concerns(*algo)).enumerate();
        methods
            .map(|(i, algo)| {
                let mark = |(x, cell): (usize, &Vec<Record>)| {
                    let runs = cell.iter().filter(|r| r.experiment.config.algo == algo);
                    let runs: Vec<f64> = runs.map(|r| quantity(r, references[x])).collect();
                    let summary = summary(&runs)?;
                    // The marks are side by side, so that none hides another.
                    let x = x as f64 + 0.14 * (i as f64 - 1.0);
                    let error = Some((summary.interval.low, summary.interval.high));
                    Some(Mark { x, y: summary.median, error })
                };
                Layer::Points(Points {
                    label: algo.label().into(),
                    colour: colour(algo),
                    marker: marker(algo),
                    points: cells.iter().enumerate().filter_map(mark).collect(),
                })
            })
            .collect()
    };
    let axis = || Axis::category(sweep.axis(), names.clone());
    let mut value_layers = series(&value);
    if moving {
        value_layers.extend(lines([1.0, 0.0]));
    } else if let Some(first) = references.first() {
        value_layers.extend(lines(*first));
    }
    let value_label =
        if moving { "share of the way from always RIGHT to the optimum" } else { "final V(s_I)" };
    let figure = Figure {
        title: format!("The maze by {}", sweep.axis()),
        subtitle: Some(format!(
            "end of training; median and 95 % bootstrap interval over {seeds} seeds; cue = {}, preset {}",
            base.maze.cue,
            base.preset()
        )),
        panels: vec![
            Panel {
                title: "Value of the policy".into(),
                x: axis(),
                y: Axis::linear(value_label),
                layers: value_layers,
                legend: false,
            },
            Panel {
                title: "Latents of the two critical cells".into(),
                x: axis(),
                y: Axis::linear("relative distance"),
                layers: series(&|record, _| final_distance(record)),
                legend: false,
            },
        ],
        columns: 2,
        shared_legend: true,
        footnote: None,
    };
    let mut table = Table::new(&[
        sweep.name(),
        "algorithm",
        "seed",
        "start_value",
        "optimum",
        "always_right",
        "relative_star_distance",
    ]);
    for ((name, cell), [best, right]) in names.iter().zip(&cells).zip(&references) {
        for record in cell {
            let config = &record.experiment.config;
            table.push(&[
                name,
                &config.algo.name(),
                &config.seed,
                &final_value(record),
                best,
                right,
                &final_distance(record),
            ])?;
        }
    }
    let settings = json!({
        "experiment": describe(base),
        "sweep": sweep,
        "values": names,
        "seeds": seeds,
        "device": kept_runs.device().description,
    });
    let name = format!("maze-by-{}", sweep.name());
    Ok(vec![Output { name, figure, table, settings }])
}

fn lines([best, right]: [f64; 2]) -> [Layer; 2] {
    [reference("optimum", best), reference("always RIGHT", right)]
}
