//! The order of the runs of a sweep: the longest first, so that no processor is idle during a long
//! run at the end.

use std::path::Path;

use anyhow::Result;
use deepspi_run::config::Algorithm;

use super::run_status::{RunState, RunStatus};
use super::specification::{RunId, Sweep};

/// Duration of an agent step relative to DeepSPI. It only affects the order and estimates; `native
/// speed` measures the real speed of a machine.
#[must_use]
pub const fn step_cost(algo: Algorithm) -> f64 {
    algo.info().step_cost
}

/// Runs of a new sweep in the order in which they start.
#[must_use]
pub fn order(sweep: &Sweep) -> Vec<RunId> {
    let mut runs = sweep.runs();
    runs.sort_by(|a, b| step_cost(b.algo).total_cmp(&step_cost(a.algo)));
    runs
}

/// The status of all runs of a sweep, in the order in which they are started.
///
/// # Errors
/// If the hyper-parameters of the sweep are not valid.
pub fn read(folder: &Path, sweep: &Sweep) -> Result<Vec<RunStatus>> {
    let mut all = Vec::new();
    for id in order(sweep) {
        let total = sweep.settings(id.algo, id.seed)?.whole_steps();
        all.push(RunStatus::read(folder, id, total));
    }
    all.sort_by(|a, b| cost_left(b).total_cmp(&cost_left(a)));
    Ok(all)
}

/// Remaining work of a run, in agent steps of DeepSPI.
#[must_use]
pub fn cost_left(run: &RunStatus) -> f64 {
    run.total.saturating_sub(run.step) as f64 * step_cost(run.id.algo)
}

/// Total work and remaining work of all runs; failed runs have no remaining work.
#[must_use]
pub fn total_and_left(runs: &[RunStatus]) -> (f64, f64) {
    let total = runs.iter().map(|run| run.total as f64 * step_cost(run.id.algo)).sum();
    let open = runs.iter().filter(|run| run.state != RunState::Failed);
    (total, open.map(cost_left).sum())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::specification::tests::tiny;
    use super::*;

    #[test]
    fn the_longest_is_first_and_begun_runs_count_what_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let names = |runs: &[RunStatus]| runs.iter().map(|r| r.id.to_string()).collect::<Vec<_>>();
        let all = names(&read(folder.path(), &tiny()).expect("valid"));
        let planned: Vec<_> = order(&tiny()).iter().map(ToString::to_string).collect();
        assert_eq!(all, planned);
        assert_eq!(all[..2], ["Pong__deep-spi__1", "Pong__deep-spi__2"]);
        assert_eq!(all[7], "Breakout__ppo__2");
        let run = folder.path().join("runs").join("Pong__deep-spi__1");
        fs::create_dir_all(&run).expect("created");
        let log = "{\"type\":\"iteration\",\"global_step\":32}\n";
        fs::write(run.join("metrics.jsonl"), log).expect("written");
        let runs = read(folder.path(), &tiny()).expect("valid");
        assert_eq!(names(&runs)[7], "Pong__deep-spi__1", "nothing is left of it");
        let (total, left) = total_and_left(&runs);
        assert!((total - left - 32.0).abs() < 1e-9, "{total} {left}");
    }
}
