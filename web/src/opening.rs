//! What the first screen shows: an agent in its maze, before and while it is trained.
//!
//! Until the trainer has loaded, there is no network. Then the page shows an agent that takes each
//! action with the same probability, which is nearly what a new network does.

use deepspi_plot::{fixed, number};
use deepspi_run::maze::MazeReport;
use deepspi_theory::{Policy, TheoryError, evaluate, optimal};
use deepspi_worlds::maze::{ACTIONS, Action, Maze};

/// The report of an agent that takes each action with the same probability; without a critic and
/// latents, which it does not have.
///
/// # Errors
/// If the values cannot be computed.
pub fn untrained(maze: &Maze) -> Result<MazeReport, TheoryError> {
    let policy = Policy::uniform(maze.states(), ACTIONS);
    let values = evaluate(&maze.mdp()?, &policy)?;
    Ok(MazeReport {
        start_value: values.start_return,
        star_distance: f64::NAN,
        relative_star_distance: f64::NAN,
        policy: policy.table().to_vec(),
        values: values.v,
        q: values.q,
        advantage: values.advantage,
        critic: Vec::new(),
        latents: Vec::new(),
    })
}

/// Values at the start with which an agent's is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Marks {
    /// The largest possible value.
    pub optimum: f64,
    /// The value of an agent that goes right at both stars: the best that it can do without telling
    /// them apart.
    pub always_right: f64,
}

impl Marks {
    /// The marks of a maze.
    ///
    /// # Errors
    /// If the values cannot be computed.
    pub fn of(maze: &Maze) -> Result<Self, TheoryError> {
        let mdp = maze.mdp()?;
        let right = maze.policy_with_stars([Action::Right, Action::Right])?;
        Ok(Self {
            optimum: optimal(&mdp)?.values.start_return,
            always_right: evaluate(&mdp, &right)?.start_return,
        })
    }

    /// Where a value lies between 0 and the optimum, in percent; a value outside is at the end.
    #[must_use]
    pub fn percent(&self, value: f64) -> f64 {
        (100.0 * value / self.optimum).clamp(0.0, 100.0)
    }

    /// The marks and an agent's value in words.
    #[must_use]
    pub fn in_words(&self, value: f64) -> String {
        format!(
            "Value at the start: {}. Always going right is worth {}, the optimum {}.",
            number(value),
            fixed(self.always_right, 1),
            fixed(self.optimum, 1)
        )
    }
}

/// One sentence about what the picture shows. `up` are the probabilities of going up at the upper
/// and at the lower star; `steps` is how long the agent has been trained.
#[must_use]
pub fn sentence(name: &str, steps: u64, up: [f64; 2]) -> String {
    if steps == 0 {
        return "An agent that has learned nothing yet strays through a maze with two corridors that \
             look almost alike: going up at the star ★ of the upper one pays, at the star of the \
             lower one it costs dearly."
            .to_owned();
    }
    let [upper, lower] = up.map(|p| fixed(100.0 * p, 0));
    format!(
        "After {} steps of training {name} goes up with probability {upper} % at the upper star ★, \
         where it pays, and with {lower} % at the lower one, where it costs dearly.",
        number(steps as f64)
    )
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::maze::MazeConfig;

    use super::*;

    fn maze() -> Maze {
        Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid")
    }

    #[test]
    fn the_untrained_agent_is_worse_than_going_right_and_that_is_worse_than_the_optimum() {
        let (maze, report) = (maze(), untrained(&maze()).expect("computed"));
        let marks = Marks::of(&maze).expect("computed");
        assert!(report.start_value < marks.always_right);
        assert!(marks.always_right < marks.optimum);
        assert_eq!(report.up_at_stars(&maze), [0.25; 2]);
        assert_eq!(report.values.len(), maze.states());
        assert!((report.values[maze.start()] - report.start_value).abs() < 1e-12);
    }

    #[test]
    fn a_value_outside_the_marks_is_at_the_end() {
        let marks = Marks { optimum: 8.0, always_right: 4.8 };
        assert_eq!([-3.0, 4.0, 8.1].map(|value| marks.percent(value)), [0.0, 50.0, 100.0]);
        assert!(marks.in_words(2.0).contains("4.8") && marks.in_words(2.0).contains("8.0"));
    }

    #[test]
    fn the_sentence_says_what_was_learned() {
        assert!(sentence("PPO", 0, [0.25; 2]).contains("learned nothing"));
        let text = sentence("DeepSPI", 1536, [0.97, 0.031]);
        for part in ["1,536", "DeepSPI", "97 %", "3 %"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
