//! Sweeps without training: run folders with made-up logs, scores and evaluations.

use std::fs;
use std::path::{Path, PathBuf};

use deepspi_run::config::Algorithm;
use native::run::folder::info_now;
use native::sweep::{RunId, Sweep};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Number of iterations of every run.
pub(crate) const ITERATIONS: u64 = 4;
/// Agent steps of one iteration.
pub(crate) const BATCH: u64 = 16;

/// Hyper-parameters of runs of that length.
pub(crate) fn config(iterations: u64) -> String {
    format!("num_envs = 4\nnum_steps = 4\ntotal_timesteps = {}\n", iterations * BATCH)
}

/// Three games, all algorithms, two seeds.
pub(crate) fn specification() -> Sweep {
    Sweep {
        suite: "made-up".into(),
        games: ["Pong", "Breakout", "Freeway"].map(String::from).to_vec(),
        algos: vec![Algorithm::DeepSpi, Algorithm::DeepMdp, Algorithm::Ppo],
        seeds: 2,
        stochastic: true,
        atari: None,
        revision: "unknown".into(),
        config: toml::from_str(&config(ITERATIONS)).expect("fields"),
    }
}

/// A raw score that differs between all runs.
pub(crate) fn score(id: &RunId, iteration: u64) -> f64 {
    let algo = match id.algo {
        Algorithm::Ppo => 1.0,
        Algorithm::DeepMdp => 2.5,
        Algorithm::DeepSpi => 3.0,
        Algorithm::DreamSpi => 2.0,
    };
    algo * iteration as f64 + id.seed as f64 * 0.75 - id.game.name.len() as f64 * 0.1
}

/// The log of a run with [`ITERATIONS`] planned iterations.
pub(crate) fn log(id: &RunId, iterations: u64) -> String {
    log_planned(id, iterations, ITERATIONS)
}

/// The log of a run with `planned` iterations, of which `iterations` are done.
pub(crate) fn log_planned(id: &RunId, iterations: u64, planned: u64) -> String {
    let settings =
        Sweep { config: toml::from_str(&config(planned)).expect("fields"), ..specification() };
    let settings = settings.settings(id.algo, id.seed).expect("valid");
    let line = |i: u64| {
        let loss = if id.algo == Algorithm::DeepSpi { 0.5 } else { 0.75 } / i as f64;
        let line = json!({
            "type": "iteration",
            "global_step": i * BATCH,
            "learning_rate": settings.reported_learning_rate_at(i - 1),
            "avg_episodic_return": score(id, i),
            "finished_return": (i > 1).then(|| score(id, i) + 1.0),
            "last": {"transition_loss": loss + id.seed as f64 * 0.01, "reward_loss": 0.1},
        });
        format!("{line}\n")
    };
    (1..=iterations).map(line).collect()
}

/// Writes a run folder and returns its path.
pub(crate) fn write_run(folder: &Path, sweep: &Sweep, id: &RunId, iterations: u64) -> PathBuf {
    let run = id.folder(folder);
    fs::create_dir_all(&run).expect("created");
    let config = sweep.settings(id.algo, id.seed).expect("valid");
    let info = info_now(id.game.name, sweep.stochastic, "made-up device");
    fs::write(run.join("config.toml"), info.describe(&config).expect("TOML")).expect("written");
    fs::write(run.join("metrics.jsonl"), log(id, iterations)).expect("written");
    run
}

/// A sweep whose runs are all finished.
pub(crate) fn finished_sweep() -> (TempDir, Sweep) {
    let folder = tempfile::tempdir().expect("a folder");
    let sweep = specification();
    sweep.save(folder.path()).expect("written");
    for id in sweep.runs() {
        write_run(folder.path(), &sweep, &id, ITERATIONS);
    }
    (folder, sweep)
}

/// The run with this name.
pub(crate) fn find(sweep: &Sweep, name: &str) -> RunId {
    sweep.runs().into_iter().find(|id| id.to_string() == name).expect("a run of the sweep")
}

/// Writes an evaluation after `step` steps; `more` is added to its protocol.
pub(crate) fn write_evaluation(folder: &Path, id: &RunId, step: u64, more: &Value) {
    let mut evaluation = json!({
        "env": id.game.name, "algo": id.algo.name(), "training_seed": id.seed,
        "checkpoint": "step", "global_step": step,
        "protocol": {
            "episodes": 3, "seed": 1, "greedy": false, "stochastic": true, "rules": "whole games",
        },
        "device": "cpu", "version": "0", "revision": "unknown",
        "summary": {
            "mean": 2.0, "mean_low": 1.0, "mean_high": 3.0, "median": 2.0, "min": 1.0,
            "max": 3.0, "human_normalized_mean": null, "mean_length": 100.0, "time_limits": 0,
        },
    });
    let more = more.as_object().expect("settings of a protocol").clone();
    evaluation["protocol"].as_object_mut().expect("settings").extend(more);
    fs::write(id.folder(folder).join("evaluation.json"), evaluation.to_string()).expect("written");
}
