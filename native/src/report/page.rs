//! The page of a report: one HTML file that needs no other file.
//!
//! The templates escape all text that comes from files. Only the figures, which this program draws
//! itself, are inserted unescaped.

use std::path::Path;

use anyhow::{Context, Result};
use deepspi_plot::{decimal, thousands};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::analysis::{GameScore, KindSummary, Report};
use super::baselines::{Comparison, caveat};
use super::facts::Facts;
use super::figures::name;
use super::losses::LossComparison;
use super::score::ScoreKind;
use super::selection::Missing;
use super::warnings::{INCOMPLETE, LOSSES};
use super::words::count;
use crate::figures::output::Output;

const STYLE: &str = include_str!("page.css");

/// The SVG figures, by name.
struct Pictures(Vec<(String, String)>);

impl Pictures {
    fn read(folder: &Path, outputs: &[Output]) -> Result<Self> {
        let read = |output: &Output| {
            let path = folder.join(format!("{}.svg", output.name));
            let svg = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            Ok((output.name.clone(), svg))
        };
        outputs.iter().map(read).collect::<Result<_>>().map(Self)
    }

    /// A figure with links to its files; nothing if there is no figure of this name.
    fn show(&self, name: &str, alt: &str) -> Markup {
        let Some((_, svg)) = self.0.iter().find(|(other, _)| other == name) else {
            return html! {};
        };
        html! {
            figure {
                div.picture role="img" aria-label=(alt) { (PreEscaped(svg)) }
                figcaption {
                    "Files: "
                    @for ending in ["svg", "png", "csv", "json"] {
                        a href=(format!("{name}.{ending}")) { (ending.to_uppercase()) } " "
                    }
                }
            }
        }
    }
}

/// The whole page.
///
/// # Errors
/// If a figure in `folder` cannot be read.
pub fn html(
    report: &Report,
    facts: &Facts,
    folder: &Path,
    outputs: &[Output],
    files: &[String],
) -> Result<String> {
    let pictures = Pictures::read(folder, outputs)?;
    let title = format!("{}: {} runs", facts.sweep.suite, facts.runs);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Report: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Report on the sweep " (facts.sweep.suite) }
                p.faint {
                    (count(facts.sweep.games.len() as u64, "game")) ", "
                    (count(report.algos.len() as u64, "algorithm")) ", "
                    (count(facts.sweep.seeds, "seed")) ", "
                    (thousands(facts.steps)) " agent steps a run; "
                    (facts.finished) " of " (facts.runs) " runs finished"
                }
                @if report.is_incomplete() {
                    div.missing {
                        p {
                            strong { "Incomplete" } ": "
                            (facts.runs - facts.finished) " of " (facts.runs)
                            " runs are not finished. They are left out of every number below, "
                            "and algorithms are compared only on games that all of them have finished."
                        }
                        details {
                            summary { "Which" }
                            ul { @for run in unfinished(report) { li { (run) } } }
                        }
                    }
                }
                (notes(report))
                (circumstances(report, facts))
                @for kind in &report.kinds { (kind_section(kind, report, facts, &pictures)) }
                (loss_section(report, &pictures))
                @if let Some(comparison) = &report.baselines {
                    (baseline_section(comparison, report, facts))
                }
                (run_section(report))
                h2 { "Files" }
                p { "Everything above as tables (CSV), data (JSON) and pictures:" }
                p.faint { @for file in files { a href=(file) { (file) } " " } }
            }
        }
    };
    Ok(page.into_string())
}

/// Runs whose numbers do not count, each with the reason.
fn unfinished(report: &Report) -> Vec<String> {
    let runs = report.runs.iter().filter(|run| !run.is_finished());
    runs.map(|run| format!("{}: {}", run.id, run.status())).collect()
}

/// Warnings that do not concern a single run.
fn notes(report: &Report) -> Markup {
    let notes: Vec<&String> =
        report.warnings.iter().filter(|text| !text.starts_with(INCOMPLETE)).collect();
    html! {
        @if !notes.is_empty() {
            div.note { ul { @for note in notes { li { (note) } } } }
        }
    }
}

fn circumstances(report: &Report, facts: &Facts) -> Markup {
    let sweep = &facts.sweep;
    let list = |values: &std::collections::BTreeSet<String>| {
        html! {
            @if values.is_empty() { "none yet" }
            @for (i, value) in values.iter().enumerate() { @if i > 0 { br; } (value) }
        }
    };
    html! {
        h2 { "What was run" }
        dl {
            dt { "Games" } dd { (sweep.games.join(", ")) }
            dt { "Algorithms" } dd { (report.algos.iter().map(|a| a.label()).collect::<Vec<_>>().join(", ")) }
            dt { "Seeds" } dd { "1" @if sweep.seeds > 1 { " to " (sweep.seeds) } }
            dt { "Length" } dd { (thousands(facts.steps)) " agent steps a run, four frames each" }
            dt { "Environments" } dd { (facts.protocol()) }
            dt { "Settings" } dd {
                @if sweep.config.is_empty() { "all defaults" }
                @for field in sweep.config.given() { code { (field) " = " (sweep.config.get(field).unwrap_or_default()) } " " }
            }
            dt { "Scores" } dd {
                p {
                    @for (i, kind) in report.kinds.iter().enumerate() {
                        @if i > 0 { "; " }
                        a href=(format!("#{}", kind.kind.name())) { (kind.kind.title()) }
                    }
                    ". These scores measure different things; each is defined where it is reported."
                }
                @if !facts.evaluations.is_empty() { p.faint { "Evaluated: " (list(&facts.evaluations)) } }
                p {
                    "Human-normalised: (score - random) / (human - random), with the field's table "
                    "of 57 games; 0 is a random policy, 1 a human tester."
                }
            }
            dt { "Statistics" } dd {
                "IQM, median, mean, optimality gap, probability of improvement and profiles as in "
                "rliable; 95 % percentile intervals of the stratified bootstrap over seeds, "
                (thousands(facts.effort.resamples as u64)) " resamples ("
                (thousands(facts.effort.resamples_of_curves as u64)) " for profiles and curves)."
            }
            dt { "Devices" } dd { (list(&facts.devices)) }
            dt { "Trained with" } dd { code { (list(&facts.revisions)) } }
            dt { "Reported with" } dd { code { (facts.report_revision) } }
            dt { "Command" } dd { code { (facts.command) } }
        }
    }
}

/// What is missing in the figure or table that follows.
fn incomplete(missing: &Missing, left_out: &[String]) -> Markup {
    html! {
        @if let Some(words) = missing.words() {
            div.missing {
                details {
                    summary {
                        strong { "Incomplete" } ": " (words)
                        @if !left_out.is_empty() {
                            "; not compared, because an algorithm has none: " (left_out.join(", "))
                        }
                    }
                    ul { @for run in &missing.runs { li { (run) } } }
                }
            }
        }
    }
}

fn kind_section(kind: &KindSummary, report: &Report, facts: &Facts, pictures: &Pictures) -> Markup {
    let banner = || incomplete(&kind.missing, &kind.left_out);
    let figure = |what: &str, alt: &str| pictures.show(&name(kind.kind, what), alt);
    html! {
        h2 id=(kind.kind.name()) { (kind.kind.title()) }
        p { (kind.kind.definition()) }
        @if kind.algorithms.is_empty() {
            (banner())
            p { "No game has such a score of every algorithm yet, so nothing can be compared." }
        } @else {
            h3 { "Aggregates over " (count(kind.games.len() as u64, "game")) }
            (banner())
            (aggregate_table(kind))
            (figure("aggregates", "Aggregates of each algorithm with intervals"))
            @if !kind.improvements.is_empty() {
                h3 { "Probability of improvement" }
                (banner())
                (improvement_table(kind))
                (figure("improvement", "Probability that one algorithm beats another"))
            }
            h3 { "Performance profiles" }
            (banner())
            (figure("profiles", "Share of runs above each human-normalised score"))
            @if kind.kind != ScoreKind::Evaluation {
                h3 { "Sample efficiency" }
                (banner())
                (figure("curves", "IQM of human-normalised scores over training"))
            }
        }
        h3 { "Games" }
        (banner())
        p.faint {
            "Mean raw score over runs, in brackets human-normalised"
            @if kind.missing.runs.is_empty() { "." } @else { "; with the number of runs where some are missing." }
        }
        (game_table(kind, report, facts))
    }
}

fn aggregate_table(kind: &KindSummary) -> Markup {
    html! {
        div.wide { table {
            tr {
                th { "Algorithm" }
                @for summary in kind.algorithms.first().map(|a| &a.aggregates).into_iter().flatten() {
                    th { (summary.metric.label()) }
                }
                th { "Seeds a game" }
            }
            @for algo in &kind.algorithms { tr {
                td { (algo.algo.label()) }
                @for summary in &algo.aggregates {
                    td { (decimal(summary.value, 3)) " [" (decimal(summary.interval.low, 3)) ", " (decimal(summary.interval.high, 3)) "]" }
                }
                td { @if algo.runs.0 == algo.runs.1 { (algo.runs.0) } @else { (algo.runs.0) " to " (algo.runs.1) } }
            } }
        } }
        p.faint { "In square brackets: 95 % interval over seeds. The lower the optimality gap, the better." }
    }
}

fn improvement_table(kind: &KindSummary) -> Markup {
    html! {
        div.wide { table {
            tr { th { "X > Y" } th { "P(X > Y)" } th { "95 % interval" } }
            @for pair in &kind.improvements { tr {
                td { (pair.x.label()) " > " (pair.y.label()) }
                td { (decimal(pair.value, 3)) }
                td { (decimal(pair.interval.low, 3)) " to " (decimal(pair.interval.high, 3)) }
            } }
        } }
    }
}

fn game_table(kind: &KindSummary, report: &Report, facts: &Facts) -> Markup {
    let cell = |score: &GameScore| {
        html! { td {
            @match (score.mean, score.normalised) {
                (Some(mean), Some(normalised)) => {
                    (raw(mean)) " (" (decimal(normalised, 3)) ")"
                    @if (score.scores.len() as u64) < facts.sweep.seeds { ", " (score.scores.len()) " runs" }
                }
                _ => "none",
            }
        } }
    };
    html! {
        div.wide { table {
            tr { th { "Game" } @for algo in &report.algos { th { (algo.label()) } } }
            @for row in kind.scores.chunks(report.algos.len().max(1)) { tr {
                td { (row[0].game) }
                @for score in row { (cell(score)) }
            } }
        } }
    }
}

/// Whether the test has too few games to be significant: with n
/// games that differ, p is at least 2 / 2^n.
fn too_few(loss: &LossComparison) -> bool {
    let test = loss.difference.and_then(|found| found.wilcoxon);
    test.is_some_and(|test| test.exact && test.n < 6)
}

fn loss_section(report: &Report, pictures: &Pictures) -> Markup {
    let row = |loss: &LossComparison| {
        html! { tr {
            td { (loss.loss.label()) }
            @if let Some(found) = &loss.difference {
                td { (found.games) }
                td { (small(found.mean)) }
                td { (small(found.interval.low)) " to " (small(found.interval.high)) }
                td { @match &found.wilcoxon {
                    Some(test) => { (small(test.p)) @if !test.exact { " (approximate)" } }
                    None => "no difference",
                } }
            } @else {
                td { "0" } td { "none" } td { "none" } td { "none" }
            }
        } }
    };
    html! {
        @if !report.losses.is_empty() {
            h2 id="losses" { (LOSSES) }
            p {
                "DeepSPI minus DeepMDP, paired by game: each game's mean over seeds of the loss of the "
                "last minibatch at the end of training. Below 0, DeepSPI's model fits better. The "
                "interval is a 95 % bootstrap over games ("
                (thousands(crate::stats::RESAMPLES as u64)) " resamples), the test Wilcoxon's "
                "signed-rank test, two-sided."
            }
            // Both losses are from the same runs.
            @if let Some(loss) = report.losses.first() { (incomplete(&loss.missing, &loss.left_out)) }
            div.wide { table {
                tr { th { "Loss" } th { "Games" } th { "Mean difference" } th { "95 % interval" } th { "Wilcoxon p" } }
                @for loss in &report.losses { (row(loss)) }
            } }
            @if report.losses.iter().any(too_few) {
                p.faint { "With fewer than 6 games that differ no exact two-sided p can be below 0.05." }
            }
            (pictures.show("losses", "Median losses over training"))
        }
    }
}

fn baseline_section(comparison: &Comparison, report: &Report, facts: &Facts) -> Markup {
    let own = report.kinds.first();
    html! {
        h2 id="baselines" { "Published baselines" }
        p { "From " code { (comparison.table.file) } ". " (caveat(facts.sweep.stochastic)) }
        @if comparison.aggregates.is_empty() {
            p { "It shares no compared game with this sweep." }
        } @else {
            @if let Some(kind) = own { (incomplete(&kind.missing, &kind.left_out)) }
            p.faint {
                "Human-normalised, on " (comparison.games.len()) " games: " (comparison.games.join(", "))
                @if own.is_some_and(|kind| kind.games.len() > comparison.games.len()) {
                    ". The aggregates of this sweep above include games that the file does not have"
                }
            }
            @for (column, games) in &comparison.missing {
                p.faint { (column) " has no score of " (games.join(", ")) ", so it is compared on the other games." }
            }
            div.wide { table {
                tr {
                    th { "Baseline" }
                    @for (metric, _) in comparison.aggregates.first().map(|(_, values)| values).into_iter().flatten() {
                        th { (metric.label()) }
                    }
                }
                @for (column, values) in &comparison.aggregates { tr {
                    td { (column) }
                    @for (_, value) in values { td { (decimal(*value, 3)) } }
                } }
            } }
        }
    }
}

fn run_section(report: &Report) -> Markup {
    html! {
        h2 id="runs" { "Runs" }
        div.wide { table {
            tr { th { "Run" } th { "Step" } th { "Training-time score" } th.text { "Status" } }
            @for run in &report.runs { tr {
                td { (run.id) }
                td { (thousands(run.step)) }
                td { (run.training.map_or_else(|| "none".to_owned(), raw)) }
                td.text { (run.status()) }
            } }
        } }
    }
}

/// A number with enough digits even if it is small.
fn small(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:.2e}") } else { decimal(value, 4) }
}

fn raw(value: f64) -> String {
    if value.abs() >= 1000.0 { decimal(value, 0) } else { decimal(value, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([small(0.0), small(-0.138_1), small(6.6e-4)], ["0.0000", "-0.1381", "6.60e-4"]);
        assert_eq!([raw(-20.68), raw(12_850.0), raw(-0.04)], ["-20.7", "12850", "0.0"]);
        assert_eq!([decimal(-0.000_4, 3), decimal(-0.001, 3)], ["0.000", "-0.001"]);
    }
}
