//! What a reader must be told of the runs, besides their numbers.

use std::collections::BTreeSet;

use deepspi_atari::games::GAMES;
use deepspi_core::config::Config;

use super::facts::thousands;
use super::runs::RunData;

/// How the warning on a run that does not count begins; the page lists those by themselves.
pub const INCOMPLETE: &str = "incomplete: ";

/// That a sweep is less than the paper's comparison; none if it is not. `steps`: of each run.
pub fn scale(games: usize, steps: u64) -> Option<String> {
    let (all, whole) = (GAMES.len(), Config::DEFAULT.total_timesteps);
    (games < all || steps < whole).then(|| {
        format!(
            "this is less than the benchmark: {games} of {all} games, and {} of {} agent steps a run; nothing about the whole follows from it",
            thousands(steps),
            thousands(whole)
        )
    })
}

/// One sentence each.
pub fn warnings(runs: &[RunData], seeds: u64) -> Vec<String> {
    let finished = || runs.iter().filter(|run| run.is_finished());
    let mut warnings: Vec<String> = runs
        .iter()
        .filter(|run| !run.is_finished())
        .map(|run| format!("{INCOMPLETE}{} is {}", run.id, run.status()))
        .collect();
    let without_game = finished().filter(|run| run.finished.is_none()).count();
    if without_game > 0 {
        warnings.push(format!(
            "{without_game} finished runs have not finished a single game: their training-time score is 0 by definition, which looks good where scores are negative, as in Pong"
        ));
    }
    for run in finished() {
        if let Err(why) = &run.evaluation {
            warnings.push(format!("the evaluation of {} is left out: {why}", run.id));
        }
    }
    let evaluated = finished().filter(|run| run.evaluated().is_some()).count();
    if evaluated > 0 && evaluated < finished().count() {
        warnings.push(format!(
            "{evaluated} of {} finished runs are evaluated; evaluations are reported when all are",
            finished().count()
        ));
    }
    let protocols: BTreeSet<&str> =
        finished().filter_map(RunData::evaluated).map(|found| found.protocol.as_str()).collect();
    if protocols.len() > 1 {
        warnings
            .push("not all evaluations were played in the same way: see their protocols".into());
    }
    if seeds == 1 {
        warnings.push(
            "one seed a game: intervals over seeds have no width, which says nothing about the spread"
                .into(),
        );
    }
    warnings
}
