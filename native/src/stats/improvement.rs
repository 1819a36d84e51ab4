//! Probability of improvement: how often a run of one algorithm beats a run of another.

use anyhow::{Result, ensure};

use super::bootstrap::stratified;
use super::scores::ScoreMatrix;
use super::summary::Interval;

/// P(X > Y): for each game the Mann-Whitney U statistic divided by the number of pairs, where ties
/// count half; then the mean over games.
///
/// # Errors
/// If the two do not have the same games; see [`ScoreMatrix::shared_with`].
pub fn improvement(x: &ScoreMatrix, y: &ScoreMatrix) -> Result<f64> {
    same_games(x, y)?;
    let pairs = x.rows().iter().zip(y.rows());
    let wins: f64 = pairs.map(|(x, y)| share_of_wins(&x.scores, &y.scores)).sum();
    Ok(wins / x.rows().len() as f64)
}

/// 95 % interval of P(X > Y); runs of the two algorithms are resampled independently, as in
/// rliable.
///
/// # Errors
/// If the two do not have the same games.
pub fn improvement_interval(
    x: &ScoreMatrix,
    y: &ScoreMatrix,
    resamples: usize,
) -> Result<Interval> {
    same_games(x, y)?;
    let scores = [x.pooled(), y.pooled()];
    let lengths = [x.lengths(), y.lengths()];
    let intervals = stratified(&lengths, resamples, |draw| {
        let sample = |algo: usize| -> Vec<f64> {
            draw[algo].iter().map(|&place| scores[algo][place]).collect()
        };
        let (x, y) = (sample(0), sample(1));
        let (mut rest_x, mut rest_y) = (x.as_slice(), y.as_slice());
        let mut sum = 0.0;
        for (&runs_x, &runs_y) in lengths[0].iter().zip(&lengths[1]) {
            let (row_x, others_x) = rest_x.split_at(runs_x);
            let (row_y, others_y) = rest_y.split_at(runs_y);
            sum += share_of_wins(row_x, row_y);
            (rest_x, rest_y) = (others_x, others_y);
        }
        vec![sum / lengths[0].len() as f64]
    });
    Ok(intervals.first().copied().unwrap_or(Interval { low: f64::NAN, high: f64::NAN }))
}

fn share_of_wins(x: &[f64], y: &[f64]) -> f64 {
    let half_wins: u64 =
        x.iter().flat_map(|x| y.iter().map(move |y| u64::from(x > y) + u64::from(x >= y))).sum();
    half_wins as f64 / (2 * x.len() * y.len()) as f64
}

fn same_games(x: &ScoreMatrix, y: &ScoreMatrix) -> Result<()> {
    let same = x.rows().len() == y.rows().len()
        && x.rows().iter().zip(y.rows()).all(|(x, y)| x.game == y.game);
    ensure!(same, "only algorithms with the same games can be compared game by game");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::scores::Scored;
    use super::*;

    fn matrix(rows: &[(&str, &[f64])]) -> ScoreMatrix {
        let scored = rows.iter().flat_map(|(game, scores)| {
            let scored =
                |(i, &score): (usize, &f64)| Scored { game: (*game).into(), seed: i as u64, score };
            scores.iter().enumerate().map(scored).collect::<Vec<_>>()
        });
        ScoreMatrix::new("x", scored).expect("scores")
    }

    #[test]
    fn wins_are_counted_by_hand_and_ties_are_half() {
        let x = matrix(&[("A", &[1.0, 3.0]), ("B", &[5.0])]);
        let y = matrix(&[("A", &[1.0, 2.0, 4.0]), ("B", &[4.0, 9.0])]);
        // Game A: 1 ties with 1, and 3 beats 1 and 2, which gives 2.5 of 6. Game B: 1 of 2.
        let expected = f64::midpoint(2.5 / 6.0, 0.5);
        assert!((improvement(&x, &y).expect("same games") - expected).abs() < 1e-12);
        let reverse = improvement(&y, &x).expect("same games");
        assert!((reverse - (1.0 - expected)).abs() < 1e-12);
        assert!((improvement(&x, &x).expect("same games") - 0.5).abs() < 1e-12);
        let interval = improvement_interval(&x, &y, 2000).expect("same games");
        assert!(interval.low < expected && expected < interval.high, "{interval:?}");
    }

    #[test]
    fn other_games_are_an_error() {
        let (x, y) = (matrix(&[("A", &[1.0])]), matrix(&[("B", &[1.0])]));
        improvement(&x, &y).expect_err("other games");
        improvement_interval(&x, &y, 10).expect_err("other games");
    }
}
