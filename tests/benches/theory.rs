//! Benchmarks of single computations of the exact theory.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use deepspi_theory::{
    Abstraction, Mdp, MdpParts, Metric, Neighbourhood, OutOfTrajectory, Policy, Unvisited,
    WorldModel, episodic_chain, evaluate, optimal, theorem_three, theorem_two, wasserstein,
};

/// Numbers in `[0, 1)`, the same on every machine (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// 4 actions with 5 random next states each. The last state is terminal, and every step ends the
/// episode with a probability of at least 1%.
fn random_mdp(states: usize) -> Mdp {
    let mut numbers = Numbers(7);
    let mut transitions = Vec::new();
    for _ in 0..states * 4 {
        let mut row: Vec<(usize, f64)> = (0..5)
            .map(|_| ((numbers.next() * states as f64) as usize, 0.1 + numbers.next()))
            .collect();
        let sum: f64 = row.iter().map(|(_, p)| p).sum();
        row.iter_mut().for_each(|(_, p)| *p *= 0.99 / sum);
        row.push((states - 1, 0.01));
        transitions.push(row);
    }
    Mdp::new(MdpParts {
        states,
        actions: 4,
        transitions,
        rewards: (0..states * 4).map(|_| numbers.next()).collect(),
        gamma: 0.99,
        start: 0,
        terminal: (0..states).map(|state| state + 1 == states).collect(),
    })
    .expect("a valid MDP")
}

/// The counted model of an encoder that merges states in groups of `merged`.
fn grouped(mdp: &Mdp, merged: usize, metric: impl Fn(usize) -> Metric) -> WorldModel {
    let last = mdp.states() - 1;
    let live = last.div_ceil(merged);
    let latent_of = (0..=last).map(|s| if s == last { live } else { s / merged }).collect();
    let terminal = (0..=live).map(|z| z == live).collect();
    let phi = Abstraction::new(mdp, latent_of, terminal).expect("a valid encoder");
    let behaviour = Policy::uniform(mdp.states(), 4);
    WorldModel::counted(mdp, phi, &behaviour, Unvisited::Absorb, metric(live + 1))
        .expect("a valid model")
}

fn solves(criterion: &mut Criterion) {
    for states in [16, 200, 2000] {
        let mdp = random_mdp(states);
        let policy = Policy::uniform(states, 4);
        criterion.bench_function(&format!("evaluate/{states}"), |b| {
            b.iter(|| evaluate(black_box(&mdp), &policy));
        });
        criterion.bench_function(&format!("policy_iteration/{states}"), |b| {
            b.iter(|| optimal(black_box(&mdp)));
        });
        criterion.bench_function(&format!("stationary/{states}"), |b| {
            b.iter(|| episodic_chain(black_box(&mdp), &policy));
        });
        let advantage = evaluate(&mdp, &policy).expect("values").advantage;
        let neighbourhood = Neighbourhood::new(1.005).expect("a valid C");
        criterion.bench_function(&format!("safe_step/{states}"), |b| {
            b.iter(|| neighbourhood.step(black_box(&mdp), &policy, &advantage));
        });
    }
}

fn distances(criterion: &mut Criterion) {
    let mut numbers = Numbers(3);
    for size in [8, 32] {
        let mut draw = || {
            let row: Vec<f64> = (0..size).map(|_| numbers.next()).collect();
            let sum: f64 = row.iter().sum();
            row.iter().map(|x| x / sum).collect::<Vec<_>>()
        };
        let (p, q) = (draw(), draw());
        let places: Vec<f64> = (0..size).map(f64::from).collect();
        let line = Metric::line(&places).expect("a metric");
        criterion.bench_function(&format!("wasserstein/programme/{size}"), |b| {
            b.iter(|| wasserstein(black_box(&line), &p, &q));
        });
        let discrete = Metric::discrete(p.len());
        criterion.bench_function(&format!("wasserstein/discrete/{size}"), |b| {
            b.iter(|| wasserstein(black_box(&discrete), &p, &q));
        });
    }
}

fn bounds(criterion: &mut Criterion) {
    for (states, merged) in [(16, 3), (200, 4)] {
        let mdp = random_mdp(states);
        let model = grouped(&mdp, merged, Metric::discrete);
        let behaviour = Policy::uniform(states, 4);
        let old = Policy::uniform(model.model().states(), 4);
        criterion.bench_function(&format!("theorem_two/discrete/{states}"), |b| {
            b.iter(|| theorem_two(black_box(&mdp), &model, &behaviour, &old));
        });
        criterion.bench_function(&format!("theorem_three/discrete/{states}"), |b| {
            b.iter(|| theorem_three(black_box(&mdp), &model, &old, &old));
        });
    }
    let mdp = random_mdp(16);
    let line = |points| Metric::line(&(0..points).map(|x| x as f64).collect::<Vec<_>>());
    let model = grouped(&mdp, 3, |points| line(points).expect("a metric"));
    let (behaviour, old) = (Policy::uniform(16, 4), Policy::uniform(model.model().states(), 4));
    criterion.bench_function("theorem_two/line/16", |b| {
        b.iter(|| theorem_two(black_box(&mdp), &model, &behaviour, &old));
    });
    criterion.bench_function("out_of_trajectory/60 iterations", |b| {
        b.iter(|| OutOfTrajectory::default().run());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_millis(800));
    targets = solves, distances, bounds
}
criterion_main!(benches);
