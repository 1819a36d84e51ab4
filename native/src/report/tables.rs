//! The tables that belong to no figure: one row per run, and one row per game.

use anyhow::Result;

use super::analysis::Report;
use super::score::ScoreKind;
use crate::chart::table::Table;

/// All tables, with their file names without ending.
///
/// # Errors
/// Never: each row has as many fields as the table has columns.
pub fn all(report: &Report) -> Result<Vec<(String, Table)>> {
    let mut tables = vec![("runs".to_owned(), runs(report)?), ("games".to_owned(), games(report)?)];
    if !report.losses.is_empty() {
        tables.push(("losses-by-game".to_owned(), losses_by_game(report)?));
        tables.push(("losses-paired".to_owned(), losses_paired(report)?));
    }
    if let Some(comparison) = &report.baselines {
        let mut table = Table::new(&["game", "baseline", "mean_score"]);
        for (game, scores) in &comparison.table.games {
            for (column, score) in comparison.table.columns.iter().zip(scores) {
                table.push(&[game, column, &field(*score)])?;
            }
        }
        tables.push(("baselines".to_owned(), table));
        let mut table = Table::new(&["baseline", "metric", "value", "games"]);
        for (column, values) in &comparison.aggregates {
            for (metric, value) in values {
                table.push(&[column, &metric.label(), value, &comparison.games_of(column)])?;
            }
        }
        tables.push(("baseline-aggregates".to_owned(), table));
    }
    Ok(tables)
}

/// An optional number as a field.
pub fn field(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn runs(report: &Report) -> Result<Table> {
    let mut table = Table::new(&[
        "game",
        "algorithm",
        "seed",
        "status",
        "step",
        "total_steps",
        "training_score",
        "training_hns",
        "finished_games_score",
        "evaluation_score",
        "transition_loss",
        "reward_loss",
        "device",
        "revision",
    ]);
    for run in &report.runs {
        let info = |pick: fn(&deepspi_run::run_files::RunInfo) -> &String| {
            run.info.as_ref().map(pick).cloned().unwrap_or_default()
        };
        table.push(&[
            &run.id.game.name,
            &run.id.algo.name(),
            &run.id.seed,
            &run.status(),
            &run.step,
            &run.total,
            &field(run.training),
            &field(ScoreKind::Training.normalised(run)),
            &field(run.finished),
            &field(ScoreKind::Evaluation.of(run)),
            &field(run.losses.transition_loss),
            &field(run.losses.reward_loss),
            &info(|info| &info.device),
            &info(|info| &info.revision),
        ])?;
    }
    Ok(table)
}

fn games(report: &Report) -> Result<Table> {
    let mut table =
        Table::new(&["score", "game", "algorithm", "finished_runs", "mean_score", "mean_hns"]);
    for kind in &report.kinds {
        for score in &kind.scores {
            table.push(&[
                &kind.kind.name(),
                &score.game,
                &score.algo.name(),
                &score.scores.len(),
                &field(score.mean),
                &field(score.normalised),
            ])?;
        }
    }
    Ok(table)
}

fn losses_by_game(report: &Report) -> Result<Table> {
    let mut table = Table::new(&["loss", "game", "deep-spi", "deep-mdp", "difference"]);
    for loss in &report.losses {
        for game in &loss.games {
            let difference = game.deep_spi - game.deep_mdp;
            let name = loss.loss.label();
            table.push(&[&name, &game.game, &game.deep_spi, &game.deep_mdp, &difference])?;
        }
    }
    Ok(table)
}

fn losses_paired(report: &Report) -> Result<Table> {
    let mut table =
        Table::new(&["loss", "games", "mean_difference", "low", "high", "wilcoxon", "p", "exact"]);
    for loss in &report.losses {
        let Some(found) = &loss.difference else { continue };
        let test = found.wilcoxon;
        table.push(&[
            &loss.loss.label(),
            &found.games,
            &found.mean,
            &found.interval.low,
            &found.interval.high,
            &field(test.map(|test| test.statistic)),
            &field(test.map(|test| test.p)),
            &test.map_or_else(String::new, |test| test.exact.to_string()),
        ])?;
    }
    Ok(table)
}
