//! `native curve`: the learning curve of one run, from its log alone.
//!
//! Each game counts at the step where it finished, so the curve has no bias towards 0 early in a
//! run, unlike the authors' training score. Early in a run it is biased towards short games,
//! because long ones finish later.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use deepspi_options::flags::whole_number;
use deepspi_plot::{number, thousands};

use crate::chart::{
    self, Axis, Band, Colour, Figure, HorizontalLine, Layer, Line, Mark, Marker, Panel, Points,
};
use crate::run::folder::{METRICS, RunFolder};
use crate::run::output::{Line as LogLine, read_log};
use crate::stats::Quartiles;
use crate::stats::reference_scores;
use crate::terminal::say;
use crate::whole_file::{require_replaceable, write_whole};

/// Colour of the curve and its band.
const COLOUR: Colour = Colour::Series(0);

/// First line of the table.
const HEADER: &str = "step,games,mean_return,quartile_1,quartile_3";

/// Flags of `curve`.
#[derive(Clone, Debug, Args)]
pub struct CurveArgs {
    /// Run folder.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// SVG file to write; its name must end in .svg. The numbers go to the same name with the
    /// ending .csv.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Agent steps per point; a point averages the games that finished within them.
    #[arg(long, value_name = "STEPS", default_value_t = 20_480, value_parser = whole_number::<u64>(1..=u64::MAX))]
    pub window: u64,
}

/// Games that finished within one window of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Last step of the window.
    pub step: u64,
    /// Number of games.
    pub games: usize,
    /// Their mean return.
    pub mean: f64,
    /// Their first quartile.
    pub low: f64,
    /// Their third quartile.
    pub high: f64,
}

/// The learning curve of a run, as both files and as points.
#[derive(Clone, Debug)]
pub struct Curve {
    /// The figure.
    pub svg: String,
    /// The numbers.
    pub csv: String,
    /// The same numbers.
    pub points: Vec<Point>,
}

/// The curve of a run folder up to step `last`, with about `count` points; none if no game has finished.
///
/// # Errors
/// If the log cannot be read or the figure cannot be drawn.
pub fn of_run(run: &Path, game: &str, last: u64, count: u64) -> Result<Option<Curve>> {
    let mut games = finished_games(&run.join(METRICS))?;
    games.retain(|(step, _)| *step <= last);
    of_games(game, &games, last.div_ceil(count).max(1))
}

/// The curve of games in windows of this many steps; none if there are no games.
fn of_games(game: &str, games: &[(u64, f64)], window: u64) -> Result<Option<Curve>> {
    let points = summarise(games, window);
    if points.is_empty() {
        return Ok(None);
    }
    let svg = chart::svg(&figure(game, &points, window)).context("cannot draw the curve")?;
    Ok(Some(Curve { svg, csv: table(&points), points }))
}

/// Runs `native curve`.
///
/// # Errors
/// If `--out` does not end in `.svg`, the folder is not a run, no game has finished, or the figure
/// cannot be written.
pub fn run(args: &CurveArgs) -> Result<()> {
    check_ending(&args.out)?;
    let folder = RunFolder::open(&args.run)?;
    let games = finished_games(&folder.path.join(METRICS))?;
    let Some(curve) = of_games(&folder.info.env, &games, args.window)? else {
        bail!("no game has finished in {} yet; train it for longer", args.run.display());
    };
    let csv = args.out.with_extension("csv");
    require_replaceable(&args.out, "<svg", "a figure")?;
    require_replaceable(&csv, HEADER, "the numbers of a curve")?;
    write_whole(&csv, curve.csv.as_bytes())?;
    write_whole(&args.out, curve.svg.as_bytes())?;
    say!("wrote {} and {}", args.out.display(), csv.display());
    Ok(())
}

/// Refuses a file name that does not end in `.svg`: the numbers go to the same name with `.csv`.
fn check_ending(out: &Path) -> Result<()> {
    let is_svg = out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
    ensure!(
        is_svg,
        "--out {} does not end in .svg: the figure is an SVG file, and its numbers go into a CSV file of \
         the same name; ask for `--out {}`",
        out.display(),
        out.with_extension("svg").display()
    );
    Ok(())
}

/// `(step, return)` of all finished games.
fn finished_games(log: &Path) -> Result<Vec<(u64, f64)>> {
    read_log(log, |line| match line {
        LogLine::Episode { global_step, raw_return } => {
            Some((global_step, (global_step, raw_return.unwrap_or(f64::NAN))))
        }
        _ => None,
    })
}

fn summarise(games: &[(u64, f64)], window: u64) -> Vec<Point> {
    // By window, of which only those with games are visited: a damaged log may name any step.
    let mut windows: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (step, score) in games {
        windows.entry(step.div_ceil(window)).or_default().push(*score);
    }
    let points = windows.into_iter().filter_map(|(index, returns)| {
        let Quartiles { low, high, .. } = Quartiles::of(&returns)?;
        let mean = returns.iter().sum::<f64>() / returns.len() as f64;
        Some(Point { step: index.saturating_mul(window), games: returns.len(), mean, low, high })
    });
    points.collect()
}

fn table(points: &[Point]) -> String {
    let mut text = format!("{HEADER}\n");
    for p in points {
        text.push_str(&format!("{},{},{},{},{}\n", p.step, p.games, p.mean, p.low, p.high));
    }
    text
}

/// The learning curve: mean and quartiles of each window, and the score of a random policy.
fn figure(game: &str, points: &[Point], window: u64) -> Figure {
    let at = |point: &Point| point.step as f64;
    let band = points.iter().map(|p| (at(p), p.low, p.high)).collect();
    let mut layers = vec![
        Layer::Band(Band { colour: COLOUR, points: band }),
        Layer::Line(Line {
            label: String::new(),
            colour: COLOUR,
            points: points.iter().map(|p| (at(p), p.mean)).collect(),
            dashed: false,
        }),
    ];
    if let [only] = points {
        // A line needs two points.
        let mark = Mark { x: at(only), y: only.mean, error: Some((only.low, only.high)) };
        let (label, marker) = (String::new(), Marker::Circle);
        layers.push(Layer::Points(Points { label, colour: COLOUR, marker, points: vec![mark] }));
    }
    if let Some(random) = reference_scores::baseline(game).map(|baseline| baseline.random) {
        let label = format!("random policy {}", number(random));
        layers.push(Layer::HorizontalLine(HorizontalLine { label, y: random }));
    }
    let last = points.iter().map(at).fold(1.0, f64::max);
    let panel = Panel {
        x: Axis::linear("agent steps").with_range(0.0, last),
        y: Axis::linear("raw return"),
        layers,
        ..Panel::default()
    };
    Figure {
        title: format!("{game}: return of finished games"),
        subtitle: Some(format!(
            "Line: mean of the games that finished within {} steps; band: quartiles.",
            thousands(window)
        )),
        panels: vec![panel],
        ..Figure::default()
    }
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
        let table = table(&points);
        let row = table.lines().last().expect("a row");
        let quartiles = row.strip_prefix("40,2,-0.0002,").expect("step, games and mean");
        let close = |(text, expected): (&str, f64)| {
            (text.parse::<f64>().expect("a number") - expected).abs() < 1e-15
        };
        assert!(quartiles.split(',').zip([-0.0003, -0.0001]).all(close), "{row}");
    }

    #[test]
    fn a_step_that_no_run_reaches_is_one_window_and_not_a_billion() {
        let points = summarise(&[(10, 1.0), (u64::MAX, 3.0)], 20);
        assert_eq!(
            points.iter().map(|p| (p.step, p.mean)).collect::<Vec<_>>(),
            [(20, 1.0), (u64::MAX, 3.0)]
        );
    }

    #[test]
    fn only_the_name_of_an_svg_file_is_accepted() {
        for name in ["x.svg", "runs.1/x.SVG"] {
            check_ending(Path::new(name)).expect(name);
        }
        for (name, instead) in [("x.csv", "x.svg"), ("x", "x.svg"), ("a/x.png", "a/x.svg")] {
            let error = check_ending(Path::new(name)).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains(&format!("--out {instead}")), "{error}");
        }
    }

    #[test]
    fn the_figure_shows_mean_quartiles_and_the_random_policy() {
        let point = |step, mean| Point { step, games: 3, mean, low: mean - 10.0, high: mean + 5.0 };
        for points in [vec![point(20, 150.0)], vec![point(20, 150.0), point(40, 175.0)]] {
            let svg = chart::svg(&figure("Breakout", &points, 20_480)).expect("a figure");
            for text in
                ["Breakout: return", "within 20,480 steps", "random policy 1.7", "agent steps"]
            {
                assert!(svg.contains(text), "{text} is not in {svg}");
            }
            assert!(!svg.contains("no data"));
        }
    }
}
