//! Published scores to compare a sweep with, in the format of CleanRL's result table.
//!
//! The header of that file has no name for the column of games, so its rows have one field more
//! than the header. Cells have the form `mean ± std`. The file is read as it is; a header that
//! names the first column is accepted too.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use deepspi_worlds::atari::Game;
use serde::Serialize;

use super::runs::protocol;
use crate::stats::reference_scores::human_normalized;
use crate::stats::{Metric, ScoreMatrix, Scored};

/// A table of published scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baselines {
    /// Name of the file.
    pub file: String,
    /// What was measured, from the header.
    pub columns: Vec<String>,
    /// Mean raw scores of each game, one for each column; `None` for a cell without a score.
    pub games: Vec<(String, Vec<Option<f64>>)>,
    /// Names in the file that are not one of the 57 games.
    pub unknown: Vec<String>,
}

/// The baselines on the games of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The whole table.
    pub table: Baselines,
    /// Games of the report that the table has.
    pub games: Vec<String>,
    /// For each column, each metric on these games. There are no intervals, because the scores of
    /// single runs are not published. A column without a score on these games is left out.
    pub aggregates: Vec<(String, Vec<(Metric, f64)>)>,
    /// For each column that lacks scores of some of these games, these games: its aggregates are of the others.
    pub missing: Vec<(String, Vec<String>)>,
}

impl Baselines {
    /// Reads a file.
    ///
    /// # Errors
    /// If the file cannot be read, has no known game, or a row is not a game with one score per
    /// column; the message names line and column.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the baselines {shown}"))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::parse(file, &text).with_context(|| {
            format!("{shown} is not a table of baselines (expected: a game, then `mean ± std` for each column)")
        })
    }

    fn parse(file: String, text: &str) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let mut records = reader.records();
        let header = records.next().context("it is empty")??;
        let mut columns: Vec<String> = header.iter().map(ToOwned::to_owned).collect();
        let mut games: Vec<(String, Vec<Option<f64>>)> = Vec::new();
        let mut unknown = Vec::new();
        for (index, record) in records.enumerate() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            if index == 0 && record.len() == columns.len() && !columns.is_empty() {
                // This header names the column of games.
                columns.remove(0);
            }
            ensure!(
                !columns.is_empty() && record.len() == columns.len() + 1,
                "line {line} has {} fields; expected a game and {} scores",
                record.len(),
                columns.len()
            );
            let name = &record[0];
            let Ok(game) = Game::find(name) else {
                unknown.push(name.to_owned());
                continue;
            };
            if games.iter().any(|(other, _)| other == game.name) {
                bail!("line {line}: {} is there twice", game.name);
            }
            let scores = columns.iter().zip(record.iter().skip(1)).map(|(column, cell)| {
                score(cell).with_context(|| {
                    format!("line {line}, column `{column}`: `{cell}` is not a score")
                })
            });
            games.push((game.name.to_owned(), scores.collect::<Result<_>>()?));
        }
        ensure!(
            !games.is_empty(),
            "it contains none of the 57 games{}",
            if unknown.is_empty() {
                String::new()
            } else {
                format!(", but {}", unknown.join(", "))
            }
        );
        Ok(Self { file, columns, games, unknown })
    }

    /// The names that were not recognised, as a sentence.
    pub fn warning(&self) -> Option<String> {
        (!self.unknown.is_empty()).then(|| {
            format!(
                "{} has rows for names that are not among the 57 games; they are left out: {}",
                self.file,
                self.unknown.join(", ")
            )
        })
    }

    /// Aggregates on those of the given games that the table has.
    ///
    /// # Errors
    /// Never with a table that was read.
    pub fn on(self, games: &[String]) -> Result<Comparison> {
        let shared: Vec<&(String, Vec<Option<f64>>)> =
            self.games.iter().filter(|(game, _)| games.contains(game)).collect();
        let (mut aggregates, mut missing) = (Vec::new(), Vec::new());
        for (i, column) in self.columns.iter().enumerate() {
            let scored = shared.iter().filter_map(|(game, scores)| {
                let score = human_normalized(game, scores[i]?)?;
                Some(Scored { game: game.clone(), seed: 0, score })
            });
            let scored: Vec<Scored> = scored.collect();
            let without = shared.iter().filter(|(_, scores)| scores[i].is_none());
            let without: Vec<String> = without.map(|(game, _)| game.clone()).collect();
            if !without.is_empty() {
                missing.push((column.clone(), without));
            }
            if scored.is_empty() {
                continue;
            }
            let matrix = ScoreMatrix::new(column, scored)?;
            let values = Metric::ALL.map(|metric| (metric, metric.value(&matrix)));
            aggregates.push((column.clone(), values.to_vec()));
        }
        let games = shared.iter().map(|(game, _)| game.clone()).collect();
        Ok(Comparison { games, aggregates, missing, table: self })
    }
}

impl Comparison {
    /// Number of games of which the aggregates of a column are.
    #[must_use]
    pub fn games_of(&self, column: &str) -> usize {
        let missing = self.missing.iter().find(|(name, _)| name == column);
        self.games.len() - missing.map_or(0, |(_, games)| games.len())
    }
}

/// The mean of a cell `mean ± std`, which may also be `mean +- std`, `mean +/- std` or `mean`; `Some(None)` for a cell
/// that says that there is no score.
fn score(cell: &str) -> Option<Option<f64>> {
    let mean = cell.split(['±']).next()?.split("+-").next()?.split("+/-").next()?.trim();
    // A thousands separator, as spreadsheets write it.
    let number = mean.replace(',', "");
    match number.parse::<f64>() {
        Ok(score) if score.is_finite() => Some(Some(score)),
        Ok(score) if score.is_nan() => Some(None),
        _ => ["", "-", "–", "—", "n/a", "na", "none", "null"]
            .contains(&mean.to_lowercase().as_str())
            .then_some(None),
    }
}

/// How far the published scores are comparable with a sweep.
pub fn caveat(stochastic: bool) -> String {
    format!(
        "CleanRL's published table was measured in deterministic environments, 3 seeds, 10 million steps, and gives means only: there are no intervals, and IQM and optimality gap are computed from the means of games, not from runs. This sweep is {}. Program and protocol differ, so a difference in scores is no evidence of a better algorithm.",
        protocol(stochastic)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Baselines> {
        Baselines::parse("table.csv".into(), text)
    }

    #[test]
    fn the_published_format_is_read_as_it_is() {
        let text = "first,\"second, with a comma\"\n\
            Alien-v5,1000.5 ± 20.25,2000.0 ± 1\n\
            MsPacmanNoFrameskip-v4,-5 ± 0,7\n\
            Chess-v5,1 ± 1,1 ± 1\n";
        let table = parse(text).expect("a table");
        assert_eq!(table.columns, ["first", "second, with a comma"]);
        assert_eq!(
            table.games,
            [
                ("Alien".into(), vec![Some(1000.5), Some(2000.0)]),
                ("MsPacman".into(), vec![Some(-5.0), Some(7.0)])
            ]
        );
        assert!(table.warning().is_some_and(|text| text.contains("Chess-v5")));
        let named = parse("game,a\nPong,20.0 ± 1.0\n").expect("a table");
        assert_eq!(
            (named.columns, named.games),
            (vec!["a".into()], vec![("Pong".into(), vec![Some(20.0)])])
        );
    }

    #[test]
    fn aggregates_are_of_the_shared_games() {
        // Normalised: Breakout 1, Pong 41/35.3, Freeway 0.5.
        let table = parse("a\nBreakout-v5,30.5 ± 1\nPong-v5,20.3 ± 1\nFreeway,14.8 ± 0\n");
        let games = ["Breakout".to_owned(), "Freeway".to_owned(), "Alien".to_owned()];
        let found = table.expect("a table").on(&games).expect("finite scores");
        assert_eq!(found.games, ["Breakout", "Freeway"]);
        for (metric, expected) in [
            (Metric::Iqm, 0.75),
            (Metric::Median, 0.75),
            (Metric::Mean, 0.75),
            (Metric::OptimalityGap, 0.25),
        ] {
            let value = found.aggregates[0].1.iter().find(|(m, _)| *m == metric).expect("there").1;
            assert!((value - expected).abs() < 1e-12, "{metric:?} {value}");
        }
        let none = parse("a\nPong,1\n").expect("a table").on(&games).expect("no game");
        assert!(none.games.is_empty() && none.aggregates.is_empty());
    }

    #[test]
    fn a_cell_without_a_score_leaves_its_game_out_of_its_column_only() {
        let text = "a,b,c\nBreakout,30.5 ± 1,nan ± nan,\nFreeway,14.8 +- 0,\"1,029.6\",-\n";
        let table = parse(text).expect("a table");
        assert_eq!(table.games[0].1, [Some(30.5), None, None]);
        assert_eq!(table.games[1].1, [Some(14.8), Some(1029.6), None]);
        let games = ["Breakout".to_owned(), "Freeway".to_owned()];
        let found = table.on(&games).expect("finite scores");
        let columns: Vec<_> = found.aggregates.iter().map(|(column, _)| column.as_str()).collect();
        assert_eq!(columns, ["a", "b"], "c has no score at all");
        assert_eq!(["a", "b", "c"].map(|column| found.games_of(column)), [2, 1, 0]);
        assert_eq!(found.missing[0], ("b".to_owned(), vec!["Breakout".to_owned()]));
        for cell in ["n/a", "NaN", "–", "nan ± 3"] {
            assert_eq!(score(cell), Some(None), "{cell}");
        }
        assert_eq!((score("1 +/- 2"), score("x"), score("inf")), (Some(Some(1.0)), None, None));
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (text, words) in [
            ("", "empty"),
            ("a,b\nPong,1,2,3\n", "line 2 has 4 fields"),
            ("a\nPong,1 ± 2\nAlien,x ± 1\n", "line 3, column `a`: `x ± 1`"),
            ("a\nPong,inf ± 1\n", "`inf ± 1`"),
            ("a\nPong,1\nPong-v5,2\n", "Pong is there twice"),
            ("a\nChess,1\n", "but Chess"),
        ] {
            let error = format!("{:#}", parse(text).expect_err(words));
            assert!(error.contains(words), "{error}");
        }
    }
}
