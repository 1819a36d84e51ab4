//! Compares our statistics with Google's `rliable` and `scipy`, from PyPI, on the same scores.
//!
//! Point estimates and p-values must be equal up to rounding. Ends of bootstrap intervals are
//! random on both sides. The end at share p of a bootstrap distribution, estimated from B
//! resamples, lies at a share of the true distribution with standard error sqrt(p (1 - p) / B). So
//! our end, from B1 resamples, must lie between the ends that rliable, with B2 resamples, finds at
//! the shares p -+ 4 sqrt(p (1 - p) (1 / B1 + 1 / B2)). This needs no density and also holds for
//! the steps of a profile. If the intervals are correct, one end in 16,000 fails; as all seeds are
//! fixed, the test either always passes or always fails.
//!
//! The installation takes a minute, once. Without a network the test prints a line that begins with
//! SKIPPED, except in CI (`CI=true`), where it fails.

#[path = "common/python.rs"]
mod python;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use native::stats::{
    Metric, RESAMPLES, RESAMPLES_OF_CURVES, ScoreMatrix, Scored, Summary, aggregates, improvement,
    improvement_interval, profile, profile_with_band, thresholds, wilcoxon,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// rliable itself, without its plotting. It is built from source, so its dependencies are installed
/// first.
const RLIABLE: &str = "rliable==1.2.0";
/// Packages that its statistics need; wheels exist for Python 3.10 to 3.13.
const NEEDED: [&str; 6] = [
    "arch==7.2.0",
    "numpy==2.2.6",
    "scipy==1.15.3",
    "pandas==2.3.3",
    "statsmodels==0.14.5",
    "absl-py==2.3.1",
];
/// Tolerance for sums that are rounded in another order.
const ROUNDING: f64 = 1e-12;
/// Share of the bootstrap distribution beyond each end of a 95 % interval.
const TAIL: f64 = 0.025;
/// Resamples of rliable, fewer than ours because it is slow.
const THEIR_RESAMPLES: usize = 5_000;
/// Resamples for the probability of improvement, for which scipy computes a test with p-value each
/// time.
const THEIR_SLOW_RESAMPLES: usize = 1_000;

#[test]
fn statistics_are_those_of_rliable_and_scipy() {
    let groups: [python::Group; 2] =
        [(&["--only-binary=:all:"], &NEEDED), (&["--no-deps"], &[RLIABLE])];
    let Some(packages) = python::packages("rliable", &groups) else { return };
    let large = [scores(57, 5, 1), scores(57, 5, 2)];
    let small = [scores(6, 5, 3), scores(6, 3, 4)];
    let tied = [whole_numbers(3, 2, 5), whole_numbers(3, 4, 6)];
    let single = [scores(1, 1, 7), scores(2, 1, 8)];
    let differences = differences();
    let taus = thresholds();

    let pooled = [&large, &small, &tied, &single].into_iter().flatten();
    let intervals = |games: &Vec<Vec<f64>>| *games == large[0] || *games == small[1];
    let aggregated: Vec<_> = pooled.map(|games| (games, intervals(games))).collect();
    let profiled = [&small[1], &tied[0]];
    let pairs = [(&large, false), (&small, true), (&tied, true), (&single, false)];
    let pairs = pairs.map(|([x, y], intervals)| {
        let shared = x.len().min(y.len());
        (&x[..shared], &y[..shared], intervals)
    });
    let theirs = ask(
        &packages,
        &json!({
            "tail": TAIL,
            "aggregates": {
                "slack": slack(RESAMPLES, THEIR_RESAMPLES),
                "reps": THEIR_RESAMPLES,
                "jobs": aggregated.iter().map(|(games, intervals)| {
                    json!({"scores": games, "intervals": intervals})
                }).collect::<Vec<_>>(),
            },
            "profiles": {
                "slack": slack(RESAMPLES_OF_CURVES, RESAMPLES_OF_CURVES),
                "reps": RESAMPLES_OF_CURVES,
                "jobs": profiled.map(|games| json!({"scores": games, "thresholds": taus})),
            },
            "improvements": {
                "slack": slack(RESAMPLES, THEIR_SLOW_RESAMPLES),
                "reps": THEIR_SLOW_RESAMPLES,
                "jobs": pairs.iter().map(|(x, y, intervals)| {
                    json!({"x": x, "y": y, "intervals": intervals})
                }).collect::<Vec<_>>(),
            },
            "wilcoxon": differences,
        }),
    );

    for (i, (games, _)) in aggregated.iter().enumerate() {
        let theirs = &theirs["aggregates"][i];
        let start = Instant::now();
        let found = aggregates(&matrix(games), RESAMPLES);
        println!(
            "{} games: all aggregates of {RESAMPLES} resamples in {:?}",
            games.len(),
            start.elapsed()
        );
        for Summary { metric, value, interval } in found {
            let key = json!(metric);
            let key = key.as_str().expect("a name");
            let what = format!("{} of matrix {i}", metric.label());
            close(value, &theirs["values"][key], &what);
            if let Some(bounds) = theirs["intervals"].get(key) {
                between(interval.low, interval.high, bounds, &what);
            }
        }
    }
    assert_eq!(
        theirs["aggregates"][0]["intervals"].as_object().map(|o| o.len()),
        Some(Metric::ALL.len())
    );
    for (i, games) in profiled.iter().enumerate() {
        let theirs = &theirs["profiles"][i];
        let matrix = matrix(games);
        let band = profile_with_band(&matrix, &taus, RESAMPLES_OF_CURVES);
        for (j, share) in profile(&matrix, &taus).into_iter().enumerate() {
            let what = format!("profile {i} at {}", taus[j]);
            close(share, &theirs["shares"][j], &what);
            between(band[j].interval.low, band[j].interval.high, &theirs["band"][j], &what);
        }
    }
    for (i, (x, y, intervals)) in pairs.iter().enumerate() {
        let theirs = &theirs["improvements"][i];
        let (x, y) = (matrix(x), matrix(y));
        let what = format!("probability of improvement {i}");
        close(improvement(&x, &y).expect("the same games"), &theirs["value"], &what);
        if *intervals {
            let interval = improvement_interval(&x, &y, RESAMPLES).expect("the same games");
            between(interval.low, interval.high, &theirs["interval"], &what);
        }
    }
    for (i, differences) in differences.iter().enumerate() {
        let found = wilcoxon(differences).expect("a difference");
        let what = format!("Wilcoxon test {i} of {} differences", differences.len());
        close(found.statistic, &theirs["wilcoxon"][i]["statistic"], &what);
        close(found.p, &theirs["wilcoxon"][i]["p"], &what);
    }
}

/// Tolerance of the share at which an end lies; see the header.
fn slack(ours: usize, theirs: usize) -> f64 {
    4.0 * (TAIL * (1.0 - TAIL) * (1.0 / ours as f64 + 1.0 / theirs as f64)).sqrt()
}

#[track_caller]
fn close(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().expect("a number");
    let scale = theirs.abs().max(1.0);
    assert!((ours - theirs).abs() <= ROUNDING * scale, "{what}: {ours} is not {theirs}");
}

#[track_caller]
fn between(low: f64, high: f64, bounds: &Value, what: &str) {
    let bounds: [f64; 4] = serde_json::from_value(bounds.clone()).expect("four numbers");
    let [low_outer, low_inner, high_inner, high_outer] = bounds;
    // Averages of the same values in another order differ in the last digit.
    let fits =
        |outer: f64, value: f64, inner: f64| outer - ROUNDING <= value && value <= inner + ROUNDING;
    assert!(fits(low_outer, low, low_inner), "{what}: low {low} is not within {bounds:?}");
    assert!(fits(high_inner, high, high_outer), "{what}: high {high} is not within {bounds:?}");
}

/// Scores that resemble human-normalised ones: most below 1, some far above, some negative; sorted
/// game after game.
fn scores(games: usize, runs: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut game = || -> Vec<f64> {
        let level = (generator.random::<f64>() * 6.0 - 3.5).exp();
        (0..runs).map(|_| level * (0.5 + generator.random::<f64>()) - 0.1).collect()
    };
    (0..games).map(|_| game()).collect()
}

/// Scores with many ties, some of them exactly at thresholds of profiles.
fn whole_numbers(games: usize, runs: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut game = || (0..runs).map(|_| f64::from(generator.random_range(0..4_u32))).collect();
    (0..games).map(|_| game()).collect()
}

/// Exact and approximate cases of the Wilcoxon test, with and without ties and zeros.
fn differences() -> Vec<Vec<f64>> {
    let mut generator = ChaCha8Rng::seed_from_u64(9);
    let mut real = |n: usize, shift: f64| -> Vec<f64> {
        (0..n).map(|_| generator.random::<f64>() - 0.5 + shift).collect()
    };
    let mut all = vec![real(1, 0.0), real(3, 0.6), real(26, 0.15), real(50, -0.1), real(57, 0.12)];
    let rounded = |values: Vec<f64>| values.into_iter().map(|d| (d * 4.0).round()).collect();
    all.extend([real(13, 0.2), real(14, 0.2), real(50, 0.1), real(57, 0.1)].map(rounded));
    let mut with_a_zero = real(20, 0.2);
    with_a_zero[7] = 0.0;
    all.push(with_a_zero);
    all
}

fn matrix(games: &[Vec<f64>]) -> ScoreMatrix {
    let scored = games.iter().enumerate().flat_map(|(game, runs)| {
        runs.iter().enumerate().map(move |(seed, &score)| Scored {
            game: format!("{game:03}"),
            seed: seed as u64,
            score,
        })
    });
    ScoreMatrix::new("test", scored).expect("finite scores")
}

fn ask(packages: &Path, work: &Value) -> Value {
    let script = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .join("tests/python/rliable_numbers.py");
    let mut child = python::python()
        .arg(script)
        .env("PYTHONPATH", packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(work.to_string().as_bytes()).expect("Python reads");
    drop(input);
    let output = child.wait_with_output().expect("Python ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "rliable failed: {errors}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}
