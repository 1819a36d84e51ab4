//! Warnings about the runs that a reader must know.

use deepspi_plot::thousands;
use deepspi_run::config::Config;
use deepspi_worlds::atari::GAMES;

use super::runs::RunData;
use super::score::{Score, ScoreKind};
use super::selection::Selection;
use super::words::count;
use crate::run::output::Losses;

/// Beginning of the warning about a run that does not count; the page lists these warnings
/// separately.
pub const INCOMPLETE: &str = "incomplete: ";

/// Heading of the section on losses.
pub const LOSSES: &str = "Losses of the world model";

/// A warning if the sweep is smaller than the paper's comparison. `steps`: agent steps of each run.
pub fn scale(games: usize, steps: u64) -> Option<String> {
    let (all, whole) = (GAMES.len(), Config::DEFAULT.total_timesteps);
    (games < all || steps < whole).then(|| {
        format!(
            "this is less than the benchmark: {games} of {all} games, and {} of {} agent steps per run; it allows no conclusion about the whole benchmark",
            thousands(steps),
            thousands(whole)
        )
    })
}

/// All warnings, one sentence each, from the runs and from the selections made of them.
pub fn warnings(
    runs: &[RunData],
    scores: &[(ScoreKind, Selection<'_, Score>)],
    losses: Option<&Selection<'_, Losses>>,
) -> Vec<String> {
    let mut warnings: Vec<String> = runs.iter().flat_map(of_run).collect();
    for (kind, selection) in scores {
        warnings.extend(of_kind(*kind, selection));
    }
    let reported = scores.iter().filter(|(kind, selection)| kind.is_reported(selection));
    let mut spreads: Vec<(&str, String)> = Vec::new();
    let found = reported.map(|(kind, selection)| (kind.title(), selection.without_spread()));
    for (title, text) in found.chain(losses.map(|all| (LOSSES, all.without_spread()))) {
        // Usually all sections use the same runs, so a repeated text is left out.
        if let Some(text) = text.filter(|text| spreads.iter().all(|(_, other)| other != text)) {
            spreads.push((title, text));
        }
    }
    warnings.extend(spreads.into_iter().map(|(title, text)| format!("{title}: {text}")));
    warnings
}

fn of_run(run: &RunData) -> Vec<String> {
    let RunData { id, total, logged, .. } = run;
    if !run.is_finished() {
        return vec![format!("{INCOMPLETE}{id} is {}", run.status())];
    }
    let mut warnings = Vec::new();
    if logged > total {
        warnings.push(format!(
            "{id} was trained on to step {logged}; its numbers here are those of step {total}"
        ));
    }
    if let Err(why) = &run.evaluation {
        warnings.push(format!("the evaluation of {id} is left out: {why}"));
    }
    warnings
}

fn of_kind(kind: ScoreKind, selection: &Selection<'_, Score>) -> Vec<String> {
    let lacking = selection.missing.lacking();
    match kind {
        ScoreKind::Finished if lacking > 0 => vec![format!(
            "{} without a single finished game: the training-time score is then 0 by definition, which looks good where scores are negative, as in Pong",
            count(lacking as u64, "finished run")
        )],
        ScoreKind::Evaluation if selection.len() > 0 => {
            let mut warnings = Vec::new();
            if lacking > 0 {
                warnings.push(format!(
                    "{} of {} finished runs are evaluated; evaluations are reported once all of them are",
                    selection.len(),
                    selection.len() + lacking
                ));
            }
            let mut protocols =
                selection.runs().filter_map(RunData::evaluated).map(|found| &found.protocol);
            let first = protocols.next();
            let difference = first.and_then(|first| protocols.find_map(|p| first.difference(p)));
            if let Some(difference) = difference {
                warnings.push(format!(
                    "not all evaluations were played in the same way: see their protocols ({difference})"
                ));
            }
            warnings
        }
        _ => Vec::new(),
    }
}
