//! Whether each method separates the stars, as a function of cue, epsilon and corridor length.

use anyhow::Result;
use deepspi_run::config::Algorithm;
use deepspi_worlds::maze::Maze;
use serde_json::json;

use super::experiment::{Experiment, Record};
use super::kept_runs::KeptRuns;
use super::maze::references;
use super::methods::{final_distance, final_value, seeded, summary};
use super::output::{Output, describe};
use crate::chart::table::Table;
use crate::chart::{Axis, Cell, ColourScale, Figure, Heatmap, Layer, Panel};

/// How well the corridors can be told apart; at 0 their frames are equal and no method can.
const CUES: [f64; 5] = [0.1, 0.2, 0.3, 0.5, 1.0];
/// Probability of the lower corridor, and its length.
const ROWS: [(f64, usize); 3] = [(0.05, 5), (0.2, 5), (0.2, 3)];
/// A method and the factor by which both of its coefficients are multiplied.
const VARIANTS: [(Algorithm, f32); 5] = [
    (Algorithm::Ppo, 1.0),
    (Algorithm::DeepMdp, 1.0),
    (Algorithm::DeepSpi, 1.0),
    (Algorithm::DeepMdp, 10.0),
    (Algorithm::DeepSpi, 10.0),
];
/// Threshold of "separated": 7.5 on the maze of the paper, as a share of the way from always RIGHT
/// to the optimum.
const SEPARATED: f64 = (7.5 - 4.8035) / (8.0103 - 4.8035);
/// Threshold of "not separated": 5.2 on the maze of the paper.
const MERGED: f64 = (5.2 - 4.8035) / (8.0103 - 4.8035);

/// Medians of one variant in one cell.
struct Medians {
    value: f64,
    share: f64,
    distance: f64,
}

/// `figures phase`.
///
/// # Errors
/// If a run fails.
pub fn make(kept_runs: &KeptRuns, base: &Experiment, seeds: u64) -> Result<Vec<Output>> {
    let mut wanted = Vec::new();
    for (variant, row, column) in places() {
        let experiment = experiment(base, variant, row, column);
        Maze::new(experiment.maze, experiment.config.gamma.into())?;
        wanted.extend(seeded(&experiment, seeds));
    }
    let records = kept_runs.records("phase diagram", &wanted)?;
    let mut table = Table::new(&[
        "algorithm",
        "coefficient_factor",
        "cue",
        "epsilon",
        "n_path",
        "seed",
        "start_value",
        "optimum",
        "always_right",
        "relative_star_distance",
    ]);
    let mut medians = Vec::new();
    for ((variant, row, column), runs) in places().zip(records.chunks(seeds as usize)) {
        let (algo, factor) = VARIANTS[variant];
        let [best, right] = references(&experiment(base, variant, row, column))?;
        for record in runs {
            table.push(&[
                &algo.name(),
                &factor,
                &CUES[column],
                &ROWS[row].0,
                &ROWS[row].1,
                &record.experiment.config.seed,
                &final_value(record),
                &best,
                &right,
                &final_distance(record),
            ])?;
        }
        let median = |of: fn(&Record) -> f64| {
            summary(&runs.iter().map(of).collect::<Vec<_>>()).map_or(f64::NAN, |s| s.median)
        };
        let (value, distance) = (median(final_value), median(final_distance));
        medians.push(Medians { value, share: (value - right) / (best - right), distance });
    }
    let region = region(&medians);
    let settings = json!({
        "experiment": describe(base),
        "seeds": seeds,
        "cues": CUES,
        "rows_epsilon_n_path": ROWS,
        "separated_share": SEPARATED,
        "merged_share": MERGED,
        "deep_spi_separates_and_ppo_does_not": region,
        "device": kept_runs.device().description,
    });
    let footnote = if region.is_empty() {
        "In no cell does DeepSPI separate the stars (median share at least 0.84, that is 7.5 on the paper's maze) while PPO does not (at most 0.12, that is 5.2).".to_owned()
    } else {
        format!(
            "DeepSPI separates the stars (median share at least 0.84) and PPO does not (at most 0.12) at: {}.",
            region.join("; ")
        )
    };
    let subtitle = format!(
        "median over {seeds} seeds at the end of training; preset {}; framed: separated",
        base.preset()
    );
    let figure =
        |title: &str, scale: &ColourScale, of: &dyn Fn(&Medians) -> (f64, String)| Figure {
            title: title.into(),
            subtitle: Some(subtitle.clone()),
            panels: (0..VARIANTS.len())
                .map(|variant| panel(variant, &medians, scale, of))
                .collect(),
            columns: 3,
            shared_legend: false,
            footnote: Some(footnote.clone()),
        };
    let share = ColourScale {
        label: "share of the way from always RIGHT to the optimum".into(),
        range: Some((0.0, 1.0)),
    };
    let distance = ColourScale { label: "relative distance of the stars".into(), range: None };
    let value = figure("Phase diagram: V(s_I) after training", &share, &|m| {
        (m.share, format!("{:.1}", m.value))
    });
    let apart = figure("Phase diagram: distance of the critical latents", &distance, &|m| {
        (m.distance, format!("{:.2}", m.distance))
    });
    Ok(vec![
        Output {
            name: "phase-value".into(),
            figure: value,
            table: table.clone(),
            settings: settings.clone(),
        },
        Output { name: "phase-distance".into(), figure: apart, table, settings },
    ])
}

/// Variant, row and column of every cell, in the order of the runs.
fn places() -> impl Iterator<Item = (usize, usize, usize)> {
    (0..VARIANTS.len()).flat_map(|variant| {
        (0..ROWS.len())
            .flat_map(move |row| (0..CUES.len()).map(move |column| (variant, row, column)))
    })
}

fn experiment(base: &Experiment, variant: usize, row: usize, column: usize) -> Experiment {
    let (algo, factor) = VARIANTS[variant];
    let mut experiment = base.clone().with_algorithm(algo);
    experiment.maze.cue = CUES[column];
    (experiment.maze.epsilon, experiment.maze.n_path) = ROWS[row];
    experiment.config.world_model.reward_loss_coef *= factor;
    experiment.config.world_model.transition_loss_coef *= factor;
    experiment
}

/// Cells in which DeepSPI separates and PPO does not.
fn region(medians: &[Medians]) -> Vec<String> {
    let cells = ROWS.len() * CUES.len();
    let of = |variant: usize, cell: usize| medians[variant * cells + cell].share;
    let mut found = Vec::new();
    for (variant, (algo, factor)) in VARIANTS.iter().enumerate() {
        if *algo != Algorithm::DeepSpi {
            continue;
        }
        for cell in 0..cells {
            if of(variant, cell) >= SEPARATED && of(0, cell) <= MERGED {
                let (epsilon, n) = ROWS[cell / CUES.len()];
                let cue = CUES[cell % CUES.len()];
                found.push(format!("cue {cue}, epsilon {epsilon}, n {n}, coefficients x{factor}"));
            }
        }
    }
    found
}

fn panel(
    variant: usize,
    medians: &[Medians],
    scale: &ColourScale,
    of: &dyn Fn(&Medians) -> (f64, String),
) -> Panel {
    let (algo, factor) = VARIANTS[variant];
    let cells = ROWS.len() * CUES.len();
    let cell = |(i, medians): (usize, &Medians)| {
        let (value, text) = of(medians);
        let (x, y) = (i % CUES.len(), i / CUES.len());
        Cell { x, y, value, text, marked: medians.share >= SEPARATED }
    };
    let title = match algo {
        Algorithm::Ppo => algo.label().to_owned(),
        _ => format!("{}, coefficients x{factor}", algo.label()),
    };
    Panel {
        title,
        x: Axis::category("cue", CUES.map(|cue| cue.to_string()).to_vec()),
        y: Axis::category("", ROWS.map(|(epsilon, n)| format!("eps {epsilon}, n {n}")).to_vec()),
        layers: vec![Layer::Heatmap(Heatmap {
            cells: medians[variant * cells..][..cells].iter().enumerate().map(cell).collect(),
            scale: scale.clone(),
        })],
        legend: false,
    }
}
