//! The out-of-trajectory example (paper, Fig. 1): a world model that is correct where there is data
//! and predicts a large false reward where there is none.
//!
//! From the start, `a_1` ends the episode with a small reward and `a_3` ends it with reward 0.
//! `a_2`, which the behaviour policy takes with probability `epsilon`, leads to a region whose true
//! reward is bad and whose predicted reward is large. `L_R` under the behaviour policy is
//! proportional to epsilon, so an average over its data does not show the error.
//!
//! Both planners repeat three steps: collect data with the current policy, update the model,
//! improve the policy in the model. The unconstrained planner goes straight to the region. Its
//! return falls before the model is corrected, and recovers only because these visits bring the
//! data. The constrained planner multiplies the probability of `a_2` by at most `C` for each update
//! of the model. This does not forbid the region: with `C < 1 / gamma` it keeps the gap of Theorem
//! 3 proportional to the current probability of `a_2`, and gives visits, which also grow by `C`,
//! time to correct the model. With `steps_per_iteration = 0` the model is never corrected, and the
//! constrained planner goes to the region as well, only more slowly. The example must keep showing
//! both cases.

use serde::{Deserialize, Serialize};

use super::abstraction::Abstraction;
use super::bounds::{TheoremThree, theorem_three};
use super::chain::episodic_chain;
use super::error::TheoryError;
use super::mdp::{Mdp, MdpParts};
use super::metric::Metric;
use super::neighbourhood::Neighbourhood;
use super::optimal::optimal;
use super::policy::Policy;
use super::values::evaluate;
use super::world_model::WorldModel;

/// Where episodes start.
pub const START: usize = 0;
/// The region from which there is hardly any data.
pub const REGION: usize = 1;
/// The terminal state.
pub const END: usize = 2;
/// `a_1`: ends the episode with the safe reward.
pub const SAFE: usize = 0;
/// `a_2`: leads to the region.
pub const BAIT: usize = 1;
/// `a_3`: ends the episode with reward 0.
pub const IDLE: usize = 2;

const STATES: usize = 3;
const ACTIONS: usize = 3;

/// Parameters of the example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutOfTrajectory {
    /// Probability of `a_2` under the behaviour policy, in `(0, 1)`; the other two share the rest.
    pub epsilon: f64,
    /// The model's reward of the region before any data from there.
    pub hallucinated_reward: f64,
    /// The true reward of the region.
    pub true_reward: f64,
    /// The reward of `a_1`.
    pub safe_reward: f64,
    /// Discount, in `(0, 1)`.
    pub gamma: f64,
    /// `C` of the constrained planner, in `(1, min(2, 1 / gamma))`.
    pub c: f64,
    /// Weight of the false prior reward, in visits of the region, above 0: the model's reward there
    /// is `(prior_weight * hallucinated + visits * true) / (prior_weight + visits)`.
    pub prior_weight: f64,
    /// Environment steps collected before each improvement, at least 0. The share `xi(region)` of
    /// them are visits of the region (an expectation, without sampling).
    pub steps_per_iteration: f64,
    /// Number of improvements.
    pub iterations: usize,
}

impl Default for OutOfTrajectory {
    fn default() -> Self {
        Self {
            epsilon: 0.01,
            hallucinated_reward: 20.0,
            true_reward: -10.0,
            safe_reward: 1.0,
            gamma: 0.95,
            c: 1.05,
            prior_weight: 50.0,
            steps_per_iteration: 1000.0,
            iterations: 60,
        }
    }
}

/// A planner after a number of improvements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Number of improvements so far.
    pub iteration: usize,
    /// Return of the policy in the MDP.
    pub true_return: f64,
    /// Return of the policy in the model in which it was improved; at 0, in the model without data.
    pub model_return: f64,
    /// Probability of `a_2` at the start.
    pub bait_probability: f64,
    /// Reward of the region in that model.
    pub believed_reward: f64,
    /// This planner's own visits of the region, on which that model is based.
    pub visits: f64,
    /// Theorem 3 for the last improvement. `None` at 0, and for the unconstrained planner, whose
    /// steps violate the premise.
    pub guarantee: Option<TheoremThree>,
}

/// Both planners, after 0 to `iterations` improvements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The optimal policy of the model, at each iteration.
    pub unconstrained: Vec<Record>,
    /// One step in `N^C` by the advantages in the model, at each iteration.
    pub constrained: Vec<Record>,
}

impl OutOfTrajectory {
    /// Checks all parameters.
    ///
    /// # Errors
    /// [`TheoryError::Range`] with the name of the parameter, its value and the allowed range.
    pub fn validate(&self) -> Result<(), TheoryError> {
        let inside = |x: f64| x > 0.0 && x < 1.0;
        let number = |x: f64| x.abs() <= 1e6;
        let tame = "use a reward of about the size of the others";
        let checks = [
            (inside(self.epsilon), "epsilon", self.epsilon, "(0, 1)", "use 0.01, for example"),
            (inside(self.gamma), "gamma", self.gamma, "(0, 1)", "use 0.95, for example"),
            (
                number(self.hallucinated_reward),
                "the hallucinated reward",
                self.hallucinated_reward,
                "[-1e6, 1e6]",
                tame,
            ),
            (number(self.true_reward), "the true reward", self.true_reward, "[-1e6, 1e6]", tame),
            (number(self.safe_reward), "the safe reward", self.safe_reward, "[-1e6, 1e6]", tame),
            (
                self.c > 1.0 && self.c < 2.0_f64.min(1.0 / self.gamma),
                "C",
                self.c,
                "above 1 and below 2 and 1 / gamma",
                "lower C or gamma: Theorem 3 says nothing beyond",
            ),
            (
                self.prior_weight > 0.0 && self.prior_weight <= 1e12,
                "the prior weight",
                self.prior_weight,
                "above 0, at most 1e12",
                "use the number of visits after which data should count as much as the belief",
            ),
            (
                (0.0..=1e12).contains(&self.steps_per_iteration),
                "the steps for each iteration",
                self.steps_per_iteration,
                "[0, 1e12]",
                "use 1000, for example, or 0 for a model that is never corrected",
            ),
        ];
        match checks.into_iter().find(|check| !check.0) {
            None => Ok(()),
            Some((_, what, got, allowed, remedy)) => {
                Err(TheoryError::Range { what, got, allowed, remedy })
            }
        }
    }

    /// The MDP with its true rewards.
    ///
    /// # Errors
    /// As [`OutOfTrajectory::validate`].
    pub fn mdp(&self) -> Result<Mdp, TheoryError> {
        self.validate()?;
        self.with_region_reward(self.true_reward)
    }

    /// The behaviour policy `[S, A]`: `a_2` with probability epsilon, the other actions with equal
    /// shares of the rest; uniform in the region.
    ///
    /// # Errors
    /// As [`OutOfTrajectory::validate`].
    pub fn behaviour(&self) -> Result<Policy, TheoryError> {
        self.validate()?;
        let mut table = vec![1.0 / ACTIONS as f64; STATES * ACTIONS];
        let other = (1.0 - self.epsilon) / 2.0;
        (table[SAFE], table[BAIT], table[IDLE]) = (other, self.epsilon, other);
        Policy::new(STATES, ACTIONS, table)
    }

    /// The model's reward of the region after a number of visits.
    #[must_use]
    pub fn believed_reward(&self, visits: f64) -> f64 {
        (self.prior_weight * self.hallucinated_reward + visits * self.true_reward)
            / (self.prior_weight + visits)
    }

    /// The learned model after a number of visits of the region: identity encoder, discrete metric,
    /// and everything exact except the reward of the region.
    ///
    /// # Errors
    /// As [`OutOfTrajectory::validate`]; [`TheoryError::Range`] for visits below 0 or NaN.
    pub fn model(&self, visits: f64) -> Result<WorldModel, TheoryError> {
        let mdp = self.mdp()?;
        if !(visits >= 0.0 && visits.is_finite()) {
            return Err(TheoryError::Range {
                what: "the visits of the region",
                got: visits,
                allowed: "at least 0 and finite",
                remedy: "use 0 for the model without data",
            });
        }
        let believed = self.with_region_reward(self.believed_reward(visits))?;
        WorldModel::given(&mdp, Abstraction::identity(&mdp), believed, Metric::discrete(STATES))
    }

    /// Runs both planners from the behaviour policy, each with its own data.
    ///
    /// # Errors
    /// As [`OutOfTrajectory::validate`]; errors of the linear solves.
    pub fn run(&self) -> Result<Comparison, TheoryError> {
        let neighbourhood = Neighbourhood::new(self.c)?;
        let unconstrained = self.plan(|model, _| Ok(optimal(model.model())?.policy), false)?;
        let step = |model: &WorldModel, policy: &Policy| {
            let advantage = evaluate(model.model(), policy)?.advantage;
            neighbourhood.step(model.model(), policy, &advantage)
        };
        Ok(Comparison { unconstrained, constrained: self.plan(step, true)? })
    }

    fn plan(
        &self,
        improve: impl Fn(&WorldModel, &Policy) -> Result<Policy, TheoryError>,
        guarantee: bool,
    ) -> Result<Vec<Record>, TheoryError> {
        let mdp = self.mdp()?;
        let (mut policy, mut visits) = (self.behaviour()?, 0.0);
        let mut records = vec![self.record(&mdp, &self.model(visits)?, &policy, (0, visits))?];
        for iteration in 1..=self.iterations {
            visits += self.steps_per_iteration * episodic_chain(&mdp, &policy)?.stationary[REGION];
            let model = self.model(visits)?;
            let next = improve(&model, &policy)?;
            let mut record = self.record(&mdp, &model, &next, (iteration, visits))?;
            if guarantee {
                record.guarantee = Some(theorem_three(&mdp, &model, &policy, &next)?);
            }
            records.push(record);
            policy = next;
        }
        Ok(records)
    }

    fn record(
        &self,
        mdp: &Mdp,
        model: &WorldModel,
        policy: &Policy,
        (iteration, visits): (usize, f64),
    ) -> Result<Record, TheoryError> {
        Ok(Record {
            iteration,
            true_return: evaluate(mdp, policy)?.start_return,
            model_return: evaluate(model.model(), policy)?.start_return,
            bait_probability: policy.probability(START, BAIT),
            believed_reward: self.believed_reward(visits),
            visits,
            guarantee: None,
        })
    }

    fn with_region_reward(&self, reward: f64) -> Result<Mdp, TheoryError> {
        let mut transitions = vec![vec![(END, 1.0)]; STATES * ACTIONS];
        transitions[BAIT] = vec![(REGION, 1.0)];
        let mut rewards = vec![0.0; STATES * ACTIONS];
        rewards[SAFE] = self.safe_reward;
        rewards[REGION * ACTIONS..(REGION + 1) * ACTIONS].fill(reward);
        Mdp::new(MdpParts {
            states: STATES,
            actions: ACTIONS,
            transitions,
            rewards,
            gamma: self.gamma,
            start: START,
            terminal: vec![false, false, true],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(records: &[Record]) -> f64 {
        records.iter().map(|record| record.true_return).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_unconstrained_planner_falls_and_the_constrained_one_does_not() {
        let example = OutOfTrajectory::default();
        let run = example.run().unwrap();
        let before = run.constrained[0].true_return;
        assert!((least(&run.unconstrained) + 9.5).abs() < 1e-12, "it takes the bait: 0.95 * -10");
        assert!(least(&run.constrained) >= before, "{:?}", run.constrained);
        let most = run.constrained.iter().map(|record| record.bait_probability).fold(0.0, f64::max);
        assert!(most < 2.0 * example.epsilon, "corrected before it could grow: {most}");
        assert!(run.constrained.last().unwrap().true_return > 0.9, "close to the optimum, 1");
    }

    #[test]
    fn without_corrections_the_constraint_only_delays_the_fall() {
        let example = OutOfTrajectory {
            steps_per_iteration: 0.0,
            iterations: 200,
            ..OutOfTrajectory::default()
        };
        let run = example.run().unwrap();
        assert!(run.unconstrained[1].true_return < -9.0);
        assert!(run.constrained[5].true_return > 0.0, "after 5 steps nothing is lost yet");
        assert!(run.constrained[200].true_return < -9.0, "but in the end everything is");
        assert!(run.constrained[200].model_return > 18.0, "and the model approves");
    }

    #[test]
    fn the_loss_under_the_behaviour_is_proportional_to_epsilon() {
        for epsilon in [0.1, 0.01, 0.001] {
            let example = OutOfTrajectory { epsilon, ..OutOfTrajectory::default() };
            let (mdp, behaviour) = (example.mdp().unwrap(), example.behaviour().unwrap());
            let xi = episodic_chain(&mdp, &behaviour).unwrap().stationary;
            let losses = example.model(0.0).unwrap().losses(&mdp, &behaviour, &xi).unwrap();
            // The error is 30; an episode has 1 + epsilon steps, of which epsilon are in the
            // region.
            assert!((losses.l_r - 30.0 * epsilon / (1.0 + epsilon)).abs() < 1e-12);
            assert!(losses.l_p.abs() < 1e-15);
        }
    }

    #[test]
    fn every_constrained_step_keeps_what_theorem_3_promises() {
        let run = OutOfTrajectory::default().run().unwrap();
        for record in &run.constrained[1..] {
            let found = record.guarantee.as_ref().unwrap();
            let (zeta, tight) = (found.zeta.unwrap(), found.zeta_tight.unwrap());
            let loss = found.improvement_model - found.improvement_true;
            assert!(loss <= tight + 1e-12 && tight <= zeta, "{record:?}");
        }
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        let base = OutOfTrajectory::default();
        let cases = [
            ("epsilon", OutOfTrajectory { epsilon: 0.0, ..base }),
            ("gamma", OutOfTrajectory { gamma: 1.0, ..base }),
            ("C", OutOfTrajectory { c: 1.1, ..base }),
            ("C", OutOfTrajectory { c: f64::NAN, ..base }),
            ("the prior weight", OutOfTrajectory { prior_weight: 0.0, ..base }),
            ("the steps for each iteration", OutOfTrajectory { steps_per_iteration: -1.0, ..base }),
            ("the true reward", OutOfTrajectory { true_reward: f64::INFINITY, ..base }),
        ];
        for (name, example) in cases {
            let error = example.run().unwrap_err();
            assert!(
                matches!(error, TheoryError::Range { what, .. } if what == name),
                "{name}: {error}"
            );
        }
    }
}
