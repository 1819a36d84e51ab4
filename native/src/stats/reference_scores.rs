//! Scores of a random policy and of a human, from which normalised scores are computed.

/// `game,random,human`; the standard table of the field (DQN Zoo, CleanRL).
const TABLE: &str = include_str!("../../data/atari_scores.csv");

/// Mean scores of one game.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// A uniformly random policy.
    pub random: f64,
    /// A human tester.
    pub human: f64,
}

/// The reference scores of a game; `None` for a game outside the table.
#[must_use]
pub fn baseline(game: &str) -> Option<Baseline> {
    let row = TABLE.lines().skip(1).find(|line| line.split(',').next() == Some(game))?;
    let mut numbers = row.split(',').skip(1).map(str::parse::<f64>);
    Some(Baseline { random: numbers.next()?.ok()?, human: numbers.next()?.ok()? })
}

/// `(score - random) / (human - random)`; `None` for a game outside the table.
#[must_use]
pub fn human_normalized(game: &str, score: f64) -> Option<f64> {
    let Baseline { random, human } = baseline(game)?;
    Some((score - random) / (human - random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_all_games_and_normalises() {
        assert_eq!(TABLE.lines().count(), 1 + 57);
        for line in TABLE.lines().skip(1) {
            let game = line.split(',').next().expect("a name");
            assert!(human_normalized(game, 0.0).is_some_and(f64::is_finite), "{line}");
            assert!(deepspi_worlds::atari::Game::find(game).is_ok(), "{game} is no game");
        }
        assert_eq!(human_normalized("Breakout", 30.5), Some(1.0));
        assert_eq!(human_normalized("Chess", 1.0), None);
    }
}
