//! Importance ratios during training, compared with what the theory requires.

use anyhow::Result;
use serde_json::json;

use super::experiment::{Experiment, Record};
use super::kept_runs::KeptRuns;
use super::layers::reference;
use super::maze::curves;
use super::methods::{METHODS, all_methods};
use super::output::{Output, describe};
use crate::chart::table::Table;
use crate::chart::{Axis, Figure, Panel};

/// `figures sir`, from the runs of `figures maze`.
///
/// # Errors
/// If a run fails.
pub fn make(kept_runs: &KeptRuns, base: &Experiment, seeds: u64) -> Result<Vec<Output>> {
    let records = kept_runs.records("maze", &all_methods(base, seeds))?;
    let (clip, gamma) = (f64::from(base.config.clip_coef), f64::from(base.config.gamma));
    let limit = 1.0 / gamma;
    let mut sup = vec![
        reference(format!("1/gamma = {limit:.3}"), limit),
        reference(format!("1 + eps = {:.2}", 1.0 + clip), 1.0 + clip),
    ];
    sup.extend(curves(&records, |point| point.ratio_sup.into()));
    let mut inf = vec![reference(format!("1 - eps = {:.2}", 1.0 - clip), 1.0 - clip)];
    inf.extend(curves(&records, |point| point.ratio_inf.into()));
    let panel = |title: &str, layers| Panel {
        title: title.into(),
        x: Axis::linear("agent steps"),
        y: Axis::linear("ratio to the policy before the iteration"),
        layers,
        legend: false,
    };
    let shares: Vec<(&str, f64, f64)> = METHODS
        .into_iter()
        .map(|algo| {
            let of = |holds: &dyn Fn(f64, f64) -> bool| share(&records, algo.name(), holds);
            let premise = of(&|sup, _| sup < limit);
            (algo.label(), premise, of(&|sup, inf| sup <= 1.0 + clip && inf >= 1.0 - clip))
        })
        .collect();
    let sentence: Vec<String> = shares
        .iter()
        .map(|(name, premise, inside)| {
            format!("{name} {:.1} % and {:.1} %", 100.0 * premise, 100.0 * inside)
        })
        .collect();
    let figure = Figure {
        title: "Importance ratios of an iteration, over all states of its batch".into(),
        subtitle: Some(format!(
            "maze, preset {}; median and 95 % bootstrap band over {seeds} seeds",
            base.preset()
        )),
        panels: vec![
            panel("Largest ratio, D_IR^sup (SIR)", sup),
            panel("Smallest ratio, D_IR^inf", inf),
        ],
        columns: 2,
        shared_legend: true,
        footnote: Some(format!(
            "Share of iterations with SIR < 1/gamma (premise of Theorem 2) and inside [1 - eps, 1 + eps] (the clip range): {}.",
            sentence.join("; ")
        )),
    };
    let mut table =
        Table::new(&["algorithm", "seed", "iteration", "agent_steps", "ratio_sup", "ratio_inf"]);
    for record in &records {
        let config = &record.experiment.config;
        for point in record.points.iter().skip(1) {
            table.push(&[
                &config.algo.name(),
                &config.seed,
                &point.iteration,
                &point.global_step,
                &point.ratio_sup,
                &point.ratio_inf,
            ])?;
        }
    }
    let settings = json!({
        "experiment": describe(base),
        "seeds": seeds,
        "premise_and_clip_range_hold": shares,
        "device": kept_runs.device().description,
    });
    Ok(vec![Output { name: "sir".into(), figure, table, settings }])
}

/// Share of all iterations of a method whose ratios satisfy a condition.
fn share(records: &[Record], algo: &str, holds: &dyn Fn(f64, f64) -> bool) -> f64 {
    let runs = records.iter().filter(|record| record.experiment.config.algo.name() == algo);
    let points: Vec<_> = runs.flat_map(|record| record.points.iter().skip(1)).collect();
    let count = points.iter().filter(|p| holds(p.ratio_sup.into(), p.ratio_inf.into())).count();
    count as f64 / points.len() as f64
}
