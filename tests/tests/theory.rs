//! Tests the theorems on thousands of random episodic MDPs.
//!
//! A failure means that a guarantee that the program reports is false, either in the code or in the
//! theory as stated; the printed case is a counterexample.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is how it fails")]

use deepspi_theory::{
    Abstraction, Mdp, MdpParts, Metric, Neighbourhood, Policy, Premise, SafePolicyIteration,
    TheoryError, Unvisited, Violation, WorldModel, discounted_occupancy, episodic_chain, evaluate,
    latent_lipschitz, optimal, ratios, theorem_four, theorem_three, theorem_two, total_variation,
    wasserstein,
};
use proptest::prelude::*;

/// Relative slack for rounding in sums of a few hundred terms.
const ROUNDING: f64 = 1e-9;

/// Random numbers in `[0, 1)` that proptest can shrink; they are read in order.
#[derive(Clone, Debug)]
struct Source {
    numbers: Vec<f64>,
    next: usize,
}

fn source() -> impl Strategy<Value = Source> {
    prop::collection::vec(0.0..1.0_f64, 600).prop_map(|numbers| Source { numbers, next: 0 })
}

impl Source {
    fn unit(&mut self) -> f64 {
        self.next += 1;
        self.numbers[(self.next - 1) % self.numbers.len()]
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn count(&mut self, low: usize, high: usize) -> usize {
        low + (self.unit() * (high - low + 1) as f64) as usize
    }

    /// A distribution over `0..size` with some zeros.
    fn distribution(&mut self, size: usize) -> Vec<f64> {
        let mut row: Vec<f64> =
            (0..size).map(|_| (self.between(-0.5, 1.0)).max(0.0).powi(2)).collect();
        let sum: f64 = row.iter().sum();
        if sum < 1e-6 {
            row = vec![0.0; size];
            row[self.count(0, size - 1)] = 1.0;
            return row;
        }
        row.iter().map(|x| x / sum).collect()
    }

    /// An MDP with `live` states and one terminal state after them, which every step enters with a
    /// probability of at least 2%.
    fn mdp_of(&mut self, live: usize, actions: usize, gamma: f64, start: usize) -> Mdp {
        let mut dense = vec![0.0; (live + 1) * actions * (live + 1)];
        for row in dense.chunks_mut(live + 1).take(live * actions) {
            let leave = self.between(0.02, 0.3);
            for (next, p) in self.distribution(live + 1).into_iter().enumerate() {
                row[next] = (1.0 - leave) * p + if next == live { leave } else { 0.0 };
            }
        }
        let rewards = (0..(live + 1) * actions).map(|_| self.between(-1.0, 1.0)).collect();
        let terminal = (0..=live).map(|state| state == live).collect();
        Mdp::from_dense(&dense, rewards, actions, gamma, start, terminal).unwrap()
    }

    fn mdp(&mut self) -> Mdp {
        let (live, actions) = (self.count(1, 6), self.count(2, 4));
        let (gamma, start) = (self.between(0.1, 0.98), self.count(0, live - 1));
        self.mdp_of(live, actions, gamma, start)
    }

    /// A policy with full support, from nearly uniform to nearly deterministic.
    fn policy(&mut self, states: usize, actions: usize) -> Policy {
        let spread = self.between(0.1, 6.0);
        let logits: Vec<f64> =
            (0..states * actions).map(|_| self.between(-spread, spread)).collect();
        Policy::from_logits(states, actions, &logits).unwrap()
    }

    /// A random policy in `N^C(policy)`; on the boundary of the neighbourhood if `to_boundary`.
    fn neighbour(&mut self, policy: &Policy, c: f64, to_boundary: bool) -> Policy {
        let (states, actions) = (policy.states(), policy.actions());
        let target = self.policy(states, actions);
        let mut table = Vec::new();
        for state in 0..states {
            let pairs = || policy.row(state).iter().zip(target.row(state));
            let farthest = pairs().map(|(p, q)| (q / p - 1.0).abs()).fold(1e-12, f64::max);
            let share = if to_boundary { 1.0 } else { self.unit() };
            let step = (share * (c - 1.0) / farthest).min(1.0);
            table.extend(pairs().map(|(p, q)| p + step * (q - p)));
        }
        Policy::new(states, actions, table).unwrap()
    }

    fn metric(&mut self, points: usize) -> Metric {
        match self.count(0, 2) {
            0 => Metric::discrete(points),
            1 => {
                let mut place = 0.0;
                let positions: Vec<f64> = (0..points)
                    .map(|_| {
                        place += self.between(0.2, 1.0);
                        place
                    })
                    .collect();
                Metric::line(&positions).unwrap()
            }
            _ => {
                // Distances between 1 and 2 always satisfy the triangle inequality.
                let mut table = vec![0.0; points * points];
                for i in 0..points {
                    for j in 0..i {
                        let distance = self.between(1.0, 2.0);
                        table[i * points + j] = distance;
                        table[j * points + i] = distance;
                    }
                }
                let metric = Metric::new(points, table).unwrap();
                metric.require_triangle().unwrap();
                metric
            }
        }
    }

    /// An MDP, a model of it, a latent behaviour policy, and a latent policy near it.
    fn world(&mut self) -> World {
        let mdp = self.mdp();
        let live = mdp.states() - 1;
        let live_latents = self.count(1, live);
        let mut latent_of: Vec<usize> =
            (0..live).map(|_| self.count(0, live_latents - 1)).collect();
        latent_of.push(live_latents);
        let latents = live_latents + 1;
        let terminal = (0..latents).map(|latent| latent == live_latents).collect();
        let start = latent_of[mdp.start()];
        let phi = Abstraction::new(&mdp, latent_of, terminal).unwrap();
        let behaviour = self.policy(latents, mdp.actions());
        let metric = self.metric(latents);
        let model = if self.unit() < 0.5 {
            let lifted = phi.lift(&behaviour).unwrap();
            WorldModel::counted(&mdp, phi, &lifted, Unvisited::Absorb, metric).unwrap()
        } else {
            let latent_mdp = self.mdp_of(live_latents, mdp.actions(), mdp.gamma(), start);
            WorldModel::given(&mdp, phi, latent_mdp, metric).unwrap()
        };
        let limit = (1.0 / mdp.gamma()).min(2.0);
        let c = 1.0 + (limit - 1.0) * self.between(0.05, 0.95);
        let to_boundary = self.unit() < 0.5;
        let policy = self.neighbour(&behaviour, c, to_boundary);
        World { mdp, model, behaviour, policy, c }
    }
}

#[derive(Debug)]
struct World {
    mdp: Mdp,
    model: WorldModel,
    behaviour: Policy,
    policy: Policy,
    c: f64,
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// `left <= right` up to rounding.
fn at_most(left: f64, right: f64) -> bool {
    left.is_finite() && right.is_finite() && left <= right + ROUNDING * (1.0 + right.abs())
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn theorem_1_values_never_fall_and_each_step_reaches_the_border(mut source in source()) {
        let mdp = source.mdp();
        let policy = source.policy(mdp.states(), mdp.actions());
        let c = source.between(1.01, 1.95);
        let neighbourhood = Neighbourhood::new(c).unwrap();
        let mut before = policy.clone();
        for step in SafePolicyIteration::new(&mdp, policy, neighbourhood).unwrap().take(20) {
            let step = step.unwrap();
            prop_assert!(step.least_improvement >= -1e-10, "{}", step.least_improvement);
            let found = neighbourhood.require(&mdp, &before, &step.policy).unwrap();
            let top = (found.sup - c).abs() < 1e-9;
            let bottom = (found.inf - (2.0 - c)).abs() < 1e-9;
            prop_assert!(top || bottom, "neither limit is attained: {found:?}");
            before = step.policy;
        }
    }

    #[test]
    fn theorem_1_step_is_optimal_in_its_neighbourhood(mut source in source()) {
        let mdp = source.mdp();
        let (states, actions) = (mdp.states(), mdp.actions());
        let policy = source.policy(states, actions);
        let scores: Vec<f64> = (0..states * actions).map(|_| source.between(-1.0, 1.0)).collect();
        let c = source.between(1.01, 1.99);
        let neighbourhood = Neighbourhood::new(c).unwrap();
        let best = neighbourhood.step(&mdp, &policy, &scores).unwrap();
        let gain = |policy: &Policy, state: usize| -> f64 {
            (0..actions).map(|a| policy.probability(state, a) * scores[state * actions + a]).sum()
        };
        for _ in 0..10 {
            let other = source.neighbour(&policy, c, true);
            prop_assert!(neighbourhood.require(&mdp, &policy, &other).is_ok());
            for state in mdp.live_states() {
                prop_assert!(gain(&other, state) <= gain(&best, state) + 1e-12);
            }
        }
    }

    #[test]
    fn neighbourhoods_are_nested_and_refuse_with_the_right_witness(mut source in source()) {
        let mdp = source.mdp();
        let policy = source.policy(mdp.states(), mdp.actions());
        let c = source.between(1.05, 1.9);
        let other = source.neighbour(&policy, c, false);
        let larger = Neighbourhood::new(c + source.between(0.0, 1.99 - c)).unwrap();
        prop_assert!(larger.require(&mdp, &policy, &other).is_ok());
        let same = ratios(&mdp, &policy, &policy).unwrap();
        prop_assert_eq!((same.sup, same.inf), (1.0, 1.0));

        let found = ratios(&mdp, &policy, &other).unwrap();
        prop_assert!(found.sup >= 1.0 - 1e-12 && found.inf <= 1.0 + 1e-12);
        let needed = (found.sup - 1.0).max(1.0 - found.inf);
        prop_assume!(needed > 1e-4);
        let smaller = Neighbourhood::new(1.0 + 0.9 * needed).unwrap();
        let refused = smaller.require(&mdp, &policy, &other).unwrap_err();
        let TheoryError::OutsideNeighbourhood(violation) = refused else { panic!("{refused}") };
        let (state, action) = violation.place();
        let ratio = other.probability(state, action) / policy.probability(state, action);
        match violation {
            Violation::RatioAbove { ratio: reported, excess, .. } => {
                prop_assert!(reported == ratio && ratio == found.sup);
                prop_assert!((excess - (ratio - smaller.c())).abs() < 1e-12);
            }
            Violation::RatioBelow { ratio: reported, excess, .. } => {
                prop_assert!(reported == ratio && ratio == found.inf);
                prop_assert!((excess - (2.0 - smaller.c() - ratio)).abs() < 1e-12);
            }
            other => panic!("the support did not change: {other}"),
        }
    }

    #[test]
    fn episode_lengths_agree_with_power_iteration(mut source in source()) {
        let mdp = source.mdp();
        let policy = source.policy(mdp.states(), mdp.actions());
        let chain = episodic_chain(&mdp, &policy).unwrap();
        // The chain with a reset state in place of the terminal one, made lazy so that its powers
        // converge: the share of the reset state is 1 / (AEL + 1).
        let (states, reset) = (mdp.states(), mdp.states() - 1);
        let mut share = vec![1.0 / states as f64; states];
        for _ in 0..4000 {
            let mut next: Vec<f64> = share.iter().map(|x| 0.5 * x).collect();
            next[mdp.start()] += 0.5 * share[reset];
            for state in mdp.live_states() {
                for action in 0..mdp.actions() {
                    for (to, p) in mdp.row(state, action) {
                        next[to] += 0.5 * share[state] * policy.probability(state, action) * p;
                    }
                }
            }
            let moved: f64 = next.iter().zip(&share).map(|(a, b)| (a - b).abs()).sum();
            share = next;
            if moved < 1e-15 {
                break;
            }
        }
        prop_assert!((1.0 / share[reset] - (chain.ael + 1.0)).abs() < 1e-8 * chain.ael);
        prop_assert!((chain.steps_to_end[mdp.start()] - chain.ael).abs() < 1e-9 * chain.ael);
        for state in mdp.live_states() {
            let counted = share[state] / (1.0 - share[reset]);
            prop_assert!((chain.stationary[state] - counted).abs() < 1e-9);
        }
        let occupancy = discounted_occupancy(&mdp, &policy).unwrap();
        let total: f64 = (0..states)
            .flat_map(|s| (0..mdp.actions()).map(move |a| (s, a)))
            .map(|(s, a)| occupancy[s] * policy.probability(s, a) * mdp.reward(s, a))
            .sum();
        prop_assert!((total - evaluate(&mdp, &policy).unwrap().start_return).abs() < 1e-9);
    }

    #[test]
    fn theorem_2_bounds_the_gap(mut source in source()) {
        let World { mdp, model, behaviour, policy, c } = source.world();
        let lifted = model.abstraction().lift(&behaviour).unwrap();
        let found = theorem_two(&mdp, &model, &lifted, &policy).unwrap();
        prop_assert!(found.terms.sir <= c + 1e-9 && found.gap.is_finite());
        if let (Some(tight), Some(bound)) = (found.tight, found.right_hand_side) {
            prop_assert!(at_most(found.gap, tight), "{found:?}");
            prop_assert!(at_most(tight, bound), "{found:?}");
            prop_assert!(at_most(found.state_gap, found.state_bound.unwrap()), "{found:?}");
            prop_assert!(found.terms.premise == Premise::Holds);
        } else {
            let failed = matches!(found.terms.premise, Premise::NotContracting { .. });
            prop_assert!(failed, "{found:?}");
        }
    }

    #[test]
    fn theorem_3_guarantees_improvement(mut source in source()) {
        let World { mdp, model, behaviour, policy, .. } = source.world();
        let found = theorem_three(&mdp, &model, &behaviour, &policy).unwrap();
        if let (Some(zeta), Some(tight)) = (found.zeta, found.zeta_tight) {
            let lost = found.improvement_model - found.improvement_true;
            prop_assert!(at_most(lost, tight) && at_most(tight, zeta), "{found:?}");
            prop_assert!(at_most(found.guaranteed().unwrap(), found.improvement_true));
        }
    }

    #[test]
    fn theorem_4_separates_values(mut source in source()) {
        let World { mdp, model, behaviour, policy, .. } = source.world();
        let lifted = model.abstraction().lift(&behaviour).unwrap();
        let epsilon = source.between(0.001, 1.0);
        let found = theorem_four(&mdp, &model, &lifted, &policy, epsilon).unwrap();
        if let (Some(delta), Some(mass)) = (found.delta, found.violating_mass) {
            prop_assert!(at_most(mass, delta), "{found:?}");
        }
    }

    #[test]
    fn values_are_lipschitz_with_the_computed_constant(mut source in source()) {
        let World { model, policy, .. } = source.world();
        let constants = latent_lipschitz(&model, &policy).unwrap();
        let v = evaluate(model.model(), &policy).unwrap().v;
        if let Some(k_v) = constants.k_v {
            for (i, j) in (0..v.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
                prop_assert!(at_most((v[i] - v[j]).abs(), k_v * model.metric().distance(i, j)));
            }
        }
        if model.metric().is_discrete() {
            let largest = model.model().rewards().iter().fold(0.0_f64, |m, r| m.max(r.abs()));
            prop_assert!(at_most(constants.k_r, 2.0 * largest) && at_most(constants.k_p, 1.0));
        }
    }

    #[test]
    fn transport_agrees_with_the_closed_forms(mut source in source()) {
        let size = source.count(2, 9);
        let (p, q) = (source.distribution(size), source.distribution(size));
        // The same metric as a table is solved by the linear programme.
        let ones = (0..size * size).map(|k| f64::from(u8::from(k / size != k % size))).collect();
        let by_programme = wasserstein(&Metric::new(size, ones).unwrap(), &p, &q).unwrap();
        prop_assert!((by_programme - total_variation(&p, &q).unwrap()).abs() < 1e-10);
        prop_assert_eq!(
            wasserstein(&Metric::discrete(size), &p, &q).unwrap(),
            total_variation(&p, &q).unwrap()
        );

        let mut place = 0.0;
        let positions: Vec<f64> = (0..size)
            .map(|_| {
                place += source.between(0.01, 2.0);
                place
            })
            .collect();
        let line = Metric::line(&positions).unwrap();
        let mut cumulated = 0.0;
        let mut area = 0.0;
        for k in 0..size - 1 {
            cumulated += p[k] - q[k];
            area += f64::abs(cumulated) * (positions[k + 1] - positions[k]);
        }
        prop_assert!((wasserstein(&line, &p, &q).unwrap() - area).abs() < 1e-9);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn theorem_1_iterated_reaches_the_optimum(mut source in source()) {
        let mdp = source.mdp();
        let best = optimal(&mdp).unwrap();
        let policy = source.policy(mdp.states(), mdp.actions());
        let neighbourhood = Neighbourhood::new(source.between(1.2, 1.8)).unwrap();
        let mut iteration = SafePolicyIteration::new(&mdp, policy, neighbourhood).unwrap();
        let last = iteration.nth(2000).unwrap().unwrap();
        for (found, wanted) in last.values.v.iter().zip(&best.values.v) {
            prop_assert!((found - wanted).abs() < 1e-8, "{found} against {wanted}");
        }
    }
}

/// The start state 0 either ends the episode or goes to state 1, which is never left.
#[test]
fn a_trap_is_named_only_if_the_policy_can_reach_it() {
    let mdp = Mdp::new(MdpParts {
        states: 3,
        actions: 2,
        transitions: vec![
            vec![(2, 1.0)],
            vec![(1, 1.0)],
            vec![(1, 1.0)],
            vec![(1, 1.0)],
            vec![],
            vec![],
        ],
        rewards: vec![0.0; 6],
        gamma: 0.9,
        start: 0,
        terminal: vec![false, false, true],
    })
    .unwrap();
    let trapped = episodic_chain(&mdp, &Policy::uniform(3, 2)).unwrap_err();
    assert_eq!(trapped, TheoryError::UnreachableTerminal { state: 1 });
    let safe = Policy::deterministic(&[0, 0, 0], 2).unwrap();
    assert_eq!(episodic_chain(&mdp, &safe).unwrap().ael, 1.0);
}

/// A failed premise is reported as such, and the right-hand side is then absent.
#[test]
fn a_step_too_large_for_theorem_2_has_no_right_side() {
    let mdp = Mdp::new(MdpParts {
        states: 2,
        actions: 2,
        transitions: vec![vec![(1, 1.0)]; 4],
        rewards: vec![1.0, 0.0, 0.0, 0.0],
        gamma: 0.9,
        start: 0,
        terminal: vec![false, true],
    })
    .unwrap();
    let phi = Abstraction::identity(&mdp);
    let model = WorldModel::given(&mdp, phi, mdp.clone(), Metric::discrete(2)).unwrap();
    let uniform = Policy::uniform(2, 2);
    let large = Policy::new(2, 2, vec![0.6, 0.4, 0.5, 0.5]).unwrap();
    let found = theorem_two(&mdp, &model, &uniform, &large).unwrap();
    assert!(matches!(found.terms.premise, Premise::RatioTooLarge { .. }), "{found:?}");
    assert_eq!((found.right_hand_side, found.tight, found.state_bound), (None, None, None));

    let pure = Policy::deterministic(&[0, 0], 2).unwrap();
    let found = theorem_two(&mdp, &model, &pure, &uniform).unwrap();
    assert_eq!(found.terms.premise, Premise::SupportGained { state: 0, action: 1 });

    let undiscounted = mdp.clone().with_gamma(0.0).unwrap();
    let phi = Abstraction::identity(&undiscounted);
    let model = WorldModel::given(&undiscounted, phi, undiscounted.clone(), Metric::discrete(2));
    let found = theorem_two(&undiscounted, &model.unwrap(), &uniform, &large).unwrap();
    assert_eq!((found.terms.premise, found.right_hand_side), (Premise::NoDiscount, None));
}

/// `K_V` depends on the policy, and Theorem 3 involves two policies. Here the new policy has reward
/// 0 everywhere, so its own `K_V` is 0, and with `L_R = 0` the theorem would promise that nothing
/// is lost. But the value of the old policy does change with the error of the transition.
#[test]
fn theorem_3_needs_the_lipschitz_constants_of_both_policies() {
    let build = |arrive: f64| {
        let first = vec![(1, arrive), (2, 1.0 - arrive)];
        Mdp::new(MdpParts {
            states: 3,
            actions: 2,
            transitions: [vec![first; 2], vec![vec![(2, 1.0)]; 2], vec![vec![]; 2]].concat(),
            rewards: vec![0.0, 0.0, 1.0, -1.0, 0.0, 0.0],
            gamma: 0.9,
            start: 0,
            terminal: vec![false, false, true],
        })
        .unwrap()
    };
    let (mdp, believed) = (build(1.0), build(0.5));
    let phi = Abstraction::identity(&mdp);
    let model = WorldModel::given(&mdp, phi, believed, Metric::discrete(3)).unwrap();
    let old = Policy::new(3, 2, vec![0.5, 0.5, 0.52, 0.48, 0.5, 0.5]).unwrap();
    let new = Policy::uniform(3, 2);
    assert_eq!(latent_lipschitz(&model, &new).unwrap().k_v, Some(0.0));
    let found = theorem_three(&mdp, &model, &old, &new).unwrap();
    let lost = found.improvement_model - found.improvement_true;
    assert!((lost - 0.018).abs() < 1e-12 && found.terms.l_r == 0.0, "{found:?}");
    assert!(lost <= found.zeta_tight.unwrap() && found.terms.k_v.unwrap() > 0.0, "{found:?}");
}
