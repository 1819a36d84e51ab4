//! `native curve`: the learning curve of one run, from its log alone.
//!
//! Games are counted where they finished, so the curve has no bias towards 0 early in a run, unlike
//! the authors' training score. It is biased towards short games there: long ones finish later.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use plotters::prelude::*;

use crate::run::folder::{METRICS, RunFolder};
use crate::run::output::{Line, read_log};
use crate::stats::reference_scores;

/// Flags of `curve`.
#[derive(Clone, Debug, Args)]
pub struct CurveArgs {
    /// Run folder.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// SVG file to write; the CSV gets the same name with another ending.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Agent steps per point: games that finished within them are averaged.
    #[arg(long, value_name = "STEPS", default_value_t = 20_480, value_parser = clap::value_parser!(u64).range(1..))]
    pub window: u64,
}

/// Games that finished within one window of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    /// Last step of the window.
    step: u64,
    games: usize,
    mean: f64,
    low: f64,
    high: f64,
}

/// Runs `native curve`.
///
/// # Errors
/// If the folder is no run, no game has finished, or the figure cannot be written.
pub fn run(args: &CurveArgs) -> Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let points = summarise(&finished_games(&folder.path.join(METRICS))?, args.window);
    if points.is_empty() {
        bail!("no game has finished in {} yet; train it for longer", args.run.display());
    }
    let csv = args.out.with_extension("csv");
    std::fs::write(&csv, table(&points))
        .with_context(|| format!("cannot write {}", csv.display()))?;
    draw(&args.out, &folder.info.env, &points, args.window)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    println!("wrote {} and {}", args.out.display(), csv.display());
    Ok(())
}

/// `(step, return)` of all finished games.
fn finished_games(log: &Path) -> Result<Vec<(u64, f64)>> {
    read_log(log, |line| match line {
        Line::Episode { global_step, raw_return } => {
            Some((global_step, (global_step, raw_return.unwrap_or(f64::NAN))))
        }
        _ => None,
    })
}

fn summarise(games: &[(u64, f64)], window: u64) -> Vec<Point> {
    let mut points = Vec::new();
    let last = games.iter().map(|game| game.0).max().unwrap_or(0);
    for index in 0..last.div_ceil(window) {
        let (start, end) = (index * window, (index + 1) * window);
        let mut returns: Vec<f64> =
            games.iter().filter(|g| g.0 > start && g.0 <= end).map(|g| g.1).collect();
        if returns.is_empty() {
            continue;
        }
        returns.sort_by(f64::total_cmp);
        let at = |share: f64| returns[((returns.len() - 1) as f64 * share).round() as usize];
        let mean = returns.iter().sum::<f64>() / returns.len() as f64;
        points.push(Point { step: end, games: returns.len(), mean, low: at(0.25), high: at(0.75) });
    }
    points
}

fn table(points: &[Point]) -> String {
    let mut text = String::from("step,games,mean_return,quartile_1,quartile_3\n");
    for p in points {
        text.push_str(&format!("{},{},{},{},{}\n", p.step, p.games, p.mean, p.low, p.high));
    }
    text
}

fn draw(path: &Path, game: &str, points: &[Point], window: u64) -> Result<()> {
    const INK: RGBColor = RGBColor(31, 78, 121);
    const GREY: RGBColor = RGBColor(110, 110, 110);
    let random = reference_scores::baseline(game).map(|b| b.random);
    let last = points.iter().map(|p| p.step).max().unwrap_or(1) as f64;
    let values = points.iter().flat_map(|p| [p.low, p.high, p.mean]).chain(random);
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let margin = ((high - low) * 0.05).max(0.5);

    let area = SVGBackend::new(path, (720, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{game}: return of finished games"), ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..last, (low - margin)..(high + margin))?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("agent steps")
        .y_desc(format!("raw return, mean per {window} steps; band: quartiles"))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y}"))
        .draw()?;
    let band = points.iter().map(|p| (p.step as f64, p.high));
    let back = points.iter().rev().map(|p| (p.step as f64, p.low));
    chart.draw_series(std::iter::once(Polygon::new(
        band.chain(back).collect::<Vec<_>>(),
        INK.mix(0.18),
    )))?;
    chart.draw_series(LineSeries::new(
        points.iter().map(|p| (p.step as f64, p.mean)),
        INK.stroke_width(2),
    ))?;
    if let Some(random) = random {
        chart
            .draw_series(LineSeries::new([(0.0, random), (last, random)], GREY.stroke_width(1)))?;
        chart.draw_series(std::iter::once(Text::new(
            format!("random policy {random}"),
            (last * 0.01, random),
            ("sans-serif", 13).into_font().color(&GREY),
        )))?;
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn games_fall_into_windows_and_keep_their_digits() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join(METRICS);
        let text = "{\"type\":\"episode\",\"global_step\":10,\"raw_return\":1.0}\n\
                    {\"type\":\"episode\",\"global_step\":30,\"raw_return\":9.0}\n\
                    {\"type\":\"resumed\",\"global_step\":20}\n\
                    {\"type\":\"episode\",\"global_step\":39,\"raw_return\":-0.0004}\n\
                    {\"type\":\"episode\",\"global_step\":40,\"raw_return\":0.0}\n";
        std::fs::write(&log, text).expect("written");
        let games = finished_games(&log).expect("a log");
        assert_eq!(games, [(10, 1.0), (39, -0.0004), (40, 0.0)]);
        let points = summarise(&games, 20);
        assert_eq!(
            points.iter().map(|p| (p.step, p.games)).collect::<Vec<_>>(),
            [(20, 1), (40, 2)]
        );
        assert!(table(&points).ends_with("40,2,-0.0002,-0.0004,0\n"), "{}", table(&points));
    }
}
