//! The figures of a report, each with its numbers.

use anyhow::Result;
use deepspi_plot::thousands;
use serde_json::json;

use super::analysis::{AlgorithmSummary, KindSummary, Report};
use super::facts::Facts;
use super::losses::LossComparison;
use super::runs::protocol;
use super::score::ScoreKind;
use super::warnings::LOSSES;
use super::words::count;
use crate::chart::table::Table;
use crate::chart::{Axis, Band, Colour, Figure, Layer, Mark, Marker, Panel, Points};
use crate::figures::layers::{line, reference};
use crate::figures::methods::{colour, marker};
use crate::figures::output::{Output, describe};
use crate::stats::{Metric, Point};

/// Longest horizontal axis of a profile, in human-normalised scores.
const PROFILE_END: f64 = 8.0;

/// All figures; a kind of score without a game to compare has none.
///
/// # Errors
/// Never: each row has as many fields as the table has columns.
pub fn all(report: &Report, facts: &Facts) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    for kind in report.kinds.iter().filter(|kind| !kind.algorithms.is_empty()) {
        outputs.push(aggregates(kind, facts)?);
        if !kind.improvements.is_empty() {
            outputs.push(improvements(kind, facts)?);
        }
        outputs.push(profiles(kind, facts)?);
        if kind.kind != ScoreKind::Evaluation {
            outputs.push(curves(kind, facts)?);
        }
    }
    if report.losses.iter().any(|loss| loss.difference.is_some()) {
        outputs.push(losses(report, facts)?);
    }
    Ok(outputs)
}

/// Name of a figure of a kind of score.
pub fn name(kind: ScoreKind, what: &str) -> String {
    format!("{}-{what}", kind.name())
}

fn subtitle(kind: &KindSummary, facts: &Facts) -> String {
    format!(
        "{}; {}, {}, {} steps, {}",
        kind.kind.title(),
        count(kind.games.len() as u64, "game"),
        count(facts.sweep.seeds, "seed"),
        thousands(facts.steps),
        protocol(facts.sweep.stochastic)
    )
}

fn output(name: String, figure: Figure, table: Table, facts: &Facts) -> Output {
    let settings = json!({"sweep": describe(&facts.sweep), "command": facts.command});
    Output { name, figure, table, settings }
}

/// A figure for a kind of score; its title says if runs are missing.
fn figure(kind: &KindSummary, facts: &Facts, title: &str, panels: Vec<Panel>) -> Figure {
    Figure {
        title: format!("{}{title}", kind.missing.mark()),
        subtitle: Some(subtitle(kind, facts)),
        columns: 2.min(panels.len()),
        panels,
        shared_legend: true,
        footnote: None,
    }
}

fn aggregates(kind: &KindSummary, facts: &Facts) -> Result<Output> {
    let mut table = Table::new(&["algorithm", "metric", "value", "low", "high", "games"]);
    for algo in &kind.algorithms {
        for a in &algo.aggregates {
            table.push(&[
                &algo.algo.name(),
                &a.metric.label(),
                &a.value,
                &a.interval.low,
                &a.interval.high,
                &kind.games.len(),
            ])?;
        }
    }
    let names: Vec<String> = kind.algorithms.iter().map(|a| a.algo.label().to_owned()).collect();
    let panel = |metric: Metric| {
        let points = |(i, algo): (usize, &AlgorithmSummary)| {
            let found = algo.aggregates.iter().find(|a| a.metric == metric);
            let mark = |a: &crate::stats::Summary| Mark {
                x: i as f64,
                y: a.value,
                error: Some((a.interval.low, a.interval.high)),
            };
            Layer::Points(Points {
                label: algo.algo.label().into(),
                colour: colour(algo.algo),
                marker: marker(algo.algo),
                points: found.map(mark).into_iter().collect(),
            })
        };
        let better = if metric == Metric::OptimalityGap { "lower" } else { "higher" };
        Panel {
            title: format!("{} ({better} is better)", metric.label()),
            x: Axis::category("", names.clone()),
            y: Axis::linear("human-normalised score"),
            layers: kind.algorithms.iter().enumerate().map(points).collect(),
            legend: false,
        }
    };
    let mut figure = figure(kind, facts, "Aggregates over games", Metric::ALL.map(panel).to_vec());
    figure.footnote = Some(format!(
        "Bars: 95 % stratified bootstrap intervals over seeds, {} resamples.",
        thousands(facts.effort.resamples as u64)
    ));
    Ok(output(name(kind.kind, "aggregates"), figure, table, facts))
}

fn improvements(kind: &KindSummary, facts: &Facts) -> Result<Output> {
    let mut table = Table::new(&["x", "y", "probability_x_better", "low", "high", "games"]);
    let mut names = Vec::new();
    let mut points = Vec::new();
    for (i, pair) in kind.improvements.iter().enumerate() {
        let (low, high) = (pair.interval.low, pair.interval.high);
        let games = kind.games.len();
        table.push(&[&pair.x.name(), &pair.y.name(), &pair.value, &low, &high, &games])?;
        names.push(format!("{} > {}", pair.x.label(), pair.y.label()));
        points.push(Mark { x: i as f64, y: pair.value, error: Some((low, high)) });
    }
    let marks =
        Points { label: String::new(), colour: Colour::Grey, marker: Marker::Diamond, points };
    let panel = Panel {
        title: String::new(),
        x: Axis::category("", names),
        y: Axis::linear("P(X > Y)").with_range(0.0, 1.0),
        layers: vec![reference("even", 0.5), Layer::Points(marks)],
        legend: false,
    };
    let mut figure = figure(kind, facts, "Probability of improvement", vec![panel]);
    figure.footnote = Some(format!(
        "How often a run of X beats a run of Y in the same game, ties half, averaged over games; bars: 95 % stratified bootstrap, {} resamples.",
        thousands(facts.effort.resamples as u64)
    ));
    Ok(output(name(kind.kind, "improvement"), figure, table, facts))
}

fn profiles(kind: &KindSummary, facts: &Facts) -> Result<Output> {
    let of = |algo: &AlgorithmSummary| algo.profile.clone();
    let mut table = Table::new(&["algorithm", "threshold", "share", "low", "high", "runs"]);
    rows(&mut table, kind, of)?;
    // Scores above the best run are left out, because they would only compress the rest of the
    // axis.
    let reached = kind.algorithms.iter().flat_map(|algo| &algo.profile);
    let end = reached.filter(|p| p.interval.high > 0.0).map(|p| p.x).fold(0.0, f64::max);
    let end = (end + 0.1).clamp(0.5, PROFILE_END);
    let panel = Panel {
        title: String::new(),
        x: Axis::linear("human-normalised score tau").with_range(0.0, end),
        y: Axis::linear("share of runs with a score > tau").with_range(0.0, 1.0),
        layers: layers(kind, of),
        legend: false,
    };
    let mut figure = figure(kind, facts, "Performance profiles", vec![panel]);
    figure.footnote = Some(format!(
        "Bands: pointwise 95 % stratified bootstrap over seeds, {} resamples.",
        thousands(facts.effort.resamples_of_curves as u64)
    ));
    Ok(output(name(kind.kind, "profiles"), figure, table, facts))
}

fn curves(kind: &KindSummary, facts: &Facts) -> Result<Output> {
    let of = |algo: &AlgorithmSummary| algo.curve.clone();
    let mut table = Table::new(&["algorithm", "step", "iqm", "low", "high", "runs"]);
    rows(&mut table, kind, of)?;
    let panel = Panel {
        title: String::new(),
        x: Axis::linear("agent steps"),
        y: Axis::linear("IQM of human-normalised scores"),
        layers: layers(kind, of),
        legend: false,
    };
    let mut figure = figure(kind, facts, "Sample efficiency", vec![panel]);
    figure.footnote = Some(format!(
        "Bands: pointwise 95 % stratified bootstrap over seeds, {} resamples; finished runs only.",
        thousands(facts.effort.resamples_of_curves as u64)
    ));
    Ok(output(name(kind.kind, "curves"), figure, table, facts))
}

fn rows(
    table: &mut Table,
    kind: &KindSummary,
    of: impl Fn(&AlgorithmSummary) -> Vec<Point>,
) -> Result<()> {
    for algo in &kind.algorithms {
        for p in of(algo) {
            let (low, high) = (p.interval.low, p.interval.high);
            table.push(&[&algo.algo.name(), &p.x, &p.value, &low, &high, &p.runs])?;
        }
    }
    Ok(())
}

fn layers(kind: &KindSummary, of: impl Fn(&AlgorithmSummary) -> Vec<Point>) -> Vec<Layer> {
    kind.algorithms
        .iter()
        .flat_map(|algo| banded(algo.algo.label(), colour(algo.algo), &of(algo)))
        .collect()
}

fn banded(label: &str, colour: Colour, points: &[Point]) -> [Layer; 2] {
    let band = points.iter().map(|p| (p.x, p.interval.low, p.interval.high)).collect();
    [
        Layer::Band(Band { colour, points: band }),
        line(label, colour, points.iter().map(|p| (p.x, p.value))),
    ]
}

fn losses(report: &Report, facts: &Facts) -> Result<Output> {
    let mut table = Table::new(&["loss", "algorithm", "step", "median", "low", "high", "runs"]);
    for loss in &report.losses {
        for (algo, points) in &loss.curves {
            for p in points {
                let (low, high) = (p.interval.low, p.interval.high);
                let name = loss.loss.label();
                table.push(&[&name, &algo.name(), &p.x, &p.value, &low, &high, &p.runs])?;
            }
        }
    }
    let axis = |loss: &LossComparison| {
        // Smooth-L1 errors (docs/deepspi.md, section 4) are at least 0; an error of 0 has no
        // logarithm.
        let mut lows = loss.curves.iter().flat_map(|(_, points)| points).map(|p| p.interval.low);
        let label = "median over runs";
        if lows.all(|low| low > 0.0) { Axis::log10(label) } else { Axis::linear(label) }
    };
    let panel = |loss: &LossComparison| Panel {
        title: loss.loss.label().into(),
        x: Axis::linear("agent steps"),
        y: axis(loss),
        layers: loss
            .curves
            .iter()
            .flat_map(|(algo, points)| banded(algo.label(), colour(*algo), points))
            .collect(),
        legend: false,
    };
    // Both losses are from the same runs.
    let first = report.losses.first();
    let mark = first.map_or_else(String::new, |loss| loss.missing.mark());
    let games = first.map_or(0, |loss| loss.games.len());
    let figure = Figure {
        title: format!("{mark}{LOSSES}"),
        subtitle: Some(format!(
            "last minibatch of an iteration, as the authors log it; {}, {}, {}",
            count(games as u64, "game"),
            count(facts.sweep.seeds, "seed"),
            protocol(facts.sweep.stochastic)
        )),
        panels: report.losses.iter().map(panel).collect(),
        columns: 2,
        shared_legend: true,
        footnote: Some(format!(
            "Bands: pointwise 95 % stratified bootstrap over seeds, {} resamples; finished runs only.",
            thousands(facts.effort.resamples_of_curves as u64)
        )),
    };
    Ok(output("losses".into(), figure, table, facts))
}
