//! Selects the runs that count towards a number and the games on which algorithms are compared.
//!
//! Scores, losses and warnings use the same rule: a run counts if it is finished and has the
//! number, and a game is compared if every algorithm has such a run of it.

use deepspi_run::config::Algorithm;
use serde::{Serialize, Serializer};

use super::runs::RunData;
use crate::run::output::Sample;
use crate::stats::Curves;

/// The runs that count, each with its number.
#[derive(Clone, Debug)]
pub struct Selection<'a, N> {
    /// Sorted by game, then seed.
    counted: Vec<(&'a RunData, N)>,
    algos: Vec<Algorithm>,
    /// Games that are compared, sorted by name.
    pub games: Vec<String>,
    /// The other games.
    pub left_out: Vec<String>,
    /// The runs that do not count.
    pub missing: Missing,
}

/// The runs that do not count.
#[derive(Clone, Debug)]
pub struct Missing {
    /// Text for each of them, with the reason.
    pub runs: Vec<String>,
    /// Number of them that are not finished.
    unfinished: usize,
    /// Number of all runs, with those that count.
    all: usize,
    /// What finished runs that do not count lack, for example `without a finished game`.
    lack: &'static str,
}

impl Missing {
    /// Number of finished runs without the number.
    pub const fn lacking(&self) -> usize {
        self.runs.len() - self.unfinished
    }

    /// How many runs are missing and why; `None` if none is missing.
    pub fn words(&self) -> Option<String> {
        let Self { unfinished, all, lack, .. } = self;
        match (unfinished, self.lacking()) {
            (0, 0) => None,
            (0, lacking) => Some(format!("{lacking} of {all} runs {lack}")),
            (_, 0) => Some(format!("{unfinished} of {all} runs not finished")),
            (_, lacking) => {
                Some(format!("{unfinished} of {all} runs not finished, {lacking} {lack}"))
            }
        }
    }

    /// Beginning of the title of a figure with missing runs.
    pub fn mark(&self) -> String {
        self.words().map_or_else(String::new, |words| format!("INCOMPLETE ({words}): "))
    }
}

impl Serialize for Missing {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.runs.serialize(out)
    }
}

impl<'a, N> Selection<'a, N> {
    /// Selects among the runs of some algorithms; `lack` describes a finished run without a
    /// `number`.
    pub fn new(
        runs: &'a [RunData],
        algos: &[Algorithm],
        lack: &'static str,
        number: impl Fn(&RunData) -> Option<N>,
    ) -> Self {
        let mut counted = Vec::new();
        let mut missing = Missing { runs: Vec::new(), unfinished: 0, all: 0, lack };
        for run in runs.iter().filter(|run| algos.contains(&run.id.algo)) {
            missing.all += 1;
            if !run.is_finished() {
                missing.unfinished += 1;
                missing.runs.push(format!("{}: {}", run.id, run.status()));
            } else if let Some(number) = number(run) {
                counted.push((run, number));
            } else {
                missing.runs.push(format!("{}: {lack}", run.id));
            }
        }
        // In the order of the rows of a score matrix.
        counted.sort_by_key(|(run, _)| (run.id.game.name, run.id.seed));
        let mut games: Vec<String> = runs.iter().map(|run| run.id.game.name.to_owned()).collect();
        games.sort();
        games.dedup();
        let mut all = Self { counted, algos: algos.to_vec(), games, left_out: Vec::new(), missing };
        let (games, left_out): (Vec<_>, Vec<_>) =
            all.games.iter().cloned().partition(|game| {
                algos.iter().all(|&algo| all.of_game(game, algo).next().is_some())
            });
        (all.games, all.left_out) = (games, left_out);
        all
    }

    /// Number of runs that count.
    pub const fn len(&self) -> usize {
        self.counted.len()
    }

    /// The runs that count.
    pub fn runs(&self) -> impl Iterator<Item = &'a RunData> {
        self.counted.iter().map(|(run, _)| *run)
    }

    /// The runs that count of one algorithm on one game, compared or not.
    pub fn of_game(&self, game: &str, algo: Algorithm) -> impl Iterator<Item = &(&'a RunData, N)> {
        let wanted = move |run: &RunData| run.id.game.name == game && run.id.algo == algo;
        self.counted.iter().filter(move |(run, _)| wanted(run))
    }

    /// The runs that count of an algorithm on the compared games, game after game.
    pub fn compared(&self, algo: Algorithm) -> impl Iterator<Item = &(&'a RunData, N)> {
        self.games.iter().flat_map(move |game| self.of_game(game, algo))
    }

    /// The course of a number over the training of these runs.
    pub fn curves(
        &self,
        algo: Algorithm,
        places: &[u64],
        number: impl Fn(&RunData, &Sample) -> Option<f64>,
    ) -> Curves {
        let value = |run: &RunData, place: usize| {
            run.curve[place].and_then(|sample| number(run, &sample)).unwrap_or(f64::NAN)
        };
        let values =
            |(run, _): &(&RunData, N)| (0..places.len()).map(|place| value(run, place)).collect();
        Curves {
            places: places.iter().map(|place| *place as f64).collect(),
            lengths: self.games.iter().map(|game| self.of_game(game, algo).count()).collect(),
            values: self.compared(algo).map(values).collect(),
        }
    }

    /// A warning if games have a single run: the interval does not include the spread over their
    /// seeds.
    pub fn without_spread(&self) -> Option<String> {
        let runs: Vec<usize> = self
            .games
            .iter()
            .flat_map(|game| self.algos.iter().map(move |&algo| self.of_game(game, algo).count()))
            .collect();
        match (runs.iter().filter(|runs| **runs == 1).count(), runs.len()) {
            (0, _) => None,
            (single, all) if single == all => Some(
                "one finished run a game: intervals over seeds have no width, which says nothing about the spread"
                    .into(),
            ),
            (single, all) => Some(format!(
                "{single} of {all} pairs of game and algorithm have a single finished run and add no width to the intervals over seeds, which are too narrow"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::atari::Game;

    use super::super::runs::State;
    use super::*;
    use crate::sweep::RunId;

    /// A finished run with a training score, if it has one.
    fn run(game: &str, algo: Algorithm, seed: u64, training: Option<f64>) -> RunData {
        let id = RunId { game: Game::find(game).expect("a game"), algo, seed };
        RunData { training, ..RunData::new(id, 16, State::Finished) }
    }

    #[test]
    fn games_are_compared_that_all_algorithms_have_and_the_rest_is_explained() {
        use Algorithm::{DeepMdp, DeepSpi, Ppo};
        let unfinished = State::Unfinished(None);
        let runs = [
            run("Pong", Ppo, 2, Some(1.0)),
            run("Pong", Ppo, 1, Some(2.0)),
            run("Pong", DeepSpi, 1, Some(3.0)),
            run("Breakout", Ppo, 1, Some(4.0)),
            run("Breakout", DeepSpi, 1, None),
            RunData { state: unfinished, ..run("Breakout", DeepSpi, 2, Some(5.0)) },
            run("Alien", DeepMdp, 1, None),
        ];
        let found = Selection::new(&runs, &[Ppo, DeepSpi], "without a score", |run| run.training);
        assert_eq!((found.games.as_slice(), found.len()), (["Pong".to_owned()].as_slice(), 4));
        assert_eq!(found.left_out, ["Alien", "Breakout"]);
        let numbers: Vec<f64> = found.compared(Ppo).map(|(_, number)| *number).collect();
        assert_eq!(numbers, [2.0, 1.0], "by seed, without Breakout");
        assert_eq!(found.of_game("Breakout", Ppo).count(), 1);
        assert_eq!(
            found.missing.runs,
            [
                "Breakout__deep-spi__1: without a score",
                "Breakout__deep-spi__2: unfinished at step 0 of 16",
            ]
        );
        assert_eq!(found.missing.lacking(), 1);
        assert_eq!(
            found.missing.mark(),
            "INCOMPLETE (1 of 6 runs not finished, 1 without a score): "
        );
        let text = found.without_spread().expect("DeepSPI has one run of Pong");
        assert!(text.starts_with("1 of 2 pairs"), "{text}");
        let found =
            Selection::new(&runs[1..3], &[Ppo, DeepSpi], "without a score", |run| run.training);
        assert!(found.without_spread().is_some_and(|text| text.starts_with("one finished run")));
        assert_eq!(found.missing.words(), None);
    }
}
