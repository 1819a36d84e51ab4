//! Exact safe policy iteration, and the bounds compared with the gaps that they bound.

use anyhow::Result;
use deepspi_theory::{
    Mdp, Metric, Neighbourhood, Policy, SafePolicyIteration, Unvisited, WorldModel, evaluate,
    optimal, random_abstraction, random_mdp, random_policy, theorem_two,
};
use deepspi_worlds::maze::{ACTIONS, Maze};
use serde_json::json;

use super::experiment::Experiment;
use super::layers::{banded, line, reference};
use super::output::{Output, describe};
use crate::chart::table::Table;
use crate::chart::{Axis, Colour, Figure, Layer, Mark, Marker, Panel, Points, Segment};

/// Radii of the neighbourhood, besides `1 / gamma`.
const RADII: [f64; 3] = [1.1, 1.5, 1.9];
/// Largest number of steps shown of one iteration.
const STEPS: usize = 1_000;
/// Number of random MDPs.
const PROBLEMS: u64 = 20;
/// Size of the random MDPs.
const STATES: usize = 50;
const CHOICES: usize = 4;
const BRANCHING: usize = 5;
/// Distance to the optimum at which an iteration counts as converged.
const ARRIVED: f64 = 0.01;
/// Number of random instances on which the bounds are compared.
const INSTANCES: u64 = 300;
/// Discount of the instances, small enough that the bounds stay moderate.
const BOUND_GAMMA: f64 = 0.9;

/// `figures theory`; nothing is trained.
///
/// # Errors
/// If a linear system cannot be solved.
pub fn make(base: &Experiment) -> Result<Vec<Output>> {
    let mut table = Table::new(&["panel", "c", "instance", "step", "value", "bound"]);
    let gamma = f64::from(base.config.gamma);
    let maze = Maze::new(base.maze, gamma)?;
    let mdp = maze.mdp()?;
    let best = optimal(&mdp)?.values.start_return;
    let radii: Vec<f64> = std::iter::once(1.0 / gamma).chain(RADII).collect();
    let name =
        |c: f64| if c < RADII[0] { format!("C = 1/gamma = {c:.3}") } else { format!("C = {c}") };

    let mut on_maze = vec![reference("optimum", best)];
    let mut on_random = Vec::new();
    let mut arrivals = Vec::new();
    for (i, &c) in radii.iter().enumerate() {
        let colour = Colour::Series(i);
        let values = values(&mdp, c, Policy::uniform(maze.states(), ACTIONS))?;
        arrivals.push(arrival(&name(c), &values, best));
        for (step, value) in &values {
            table.push(&[&"maze", &c, &0, step, value, &best])?;
        }
        on_maze.push(line(name(c), colour, values.iter().copied()));

        let mut curves = Vec::new();
        for problem in 1..=PROBLEMS {
            let mdp = random_mdp(STATES, CHOICES, BRANCHING, gamma, problem)?;
            let best = optimal(&mdp)?.values.start_return;
            let values = self::values(&mdp, c, Policy::uniform(STATES, CHOICES))?;
            let first = values.first().map_or(best, |(_, value)| *value);
            // The share of the way to the optimum that is left, which is comparable between
            // problems.
            let left: Vec<(f64, f64)> =
                values.iter().map(|(s, v)| (*s, ((best - v) / (best - first)).max(1e-6))).collect();
            for (step, value) in &left {
                table.push(&[&"random", &c, &problem, step, value, &0.0])?;
            }
            curves.push(left);
        }
        on_random.extend(banded(name(c), colour, &curves));
    }
    let (bounds, sentence) = bounds(&mut table)?;
    let figure = Figure {
        title: "The theory, computed exactly".into(),
        subtitle: Some(
            "exact safe policy iteration (Theorem 1) from the uniform policy, and Theorem 2".into(),
        ),
        panels: vec![
            Panel {
                title: "The maze".into(),
                x: Axis::log10("safe policy iterations"),
                y: Axis::linear("V(s_I)"),
                layers: on_maze,
                legend: true,
            },
            Panel {
                title: format!("{PROBLEMS} random MDPs of {STATES} states"),
                x: Axis::log10("safe policy iterations"),
                y: Axis::log10("share of the improvement left"),
                layers: on_random,
                legend: true,
            },
            bounds,
        ],
        columns: 3,
        shared_legend: false,
        footnote: Some(format!(
            "Steps to within {ARRIVED} of the optimum on the maze: {}. {sentence}",
            arrivals.join("; ")
        )),
    };
    let settings = json!({
        "maze": describe(base.maze),
        "gamma": gamma,
        "radii": radii,
        "random_mdps": { "count": PROBLEMS, "states": STATES, "actions": CHOICES, "branching": BRANCHING },
        "bound_instances": { "count": INSTANCES, "gamma": BOUND_GAMMA },
    });
    Ok(vec![Output { name: "theory".into(), figure, table, settings }])
}

/// `(step, rho)` of exact safe policy iteration.
fn values(mdp: &Mdp, c: f64, policy: Policy) -> Result<Vec<(f64, f64)>> {
    let iteration = SafePolicyIteration::new(mdp, policy, Neighbourhood::new(c)?)?;
    let mut values = vec![(0.0, iteration.values().start_return)];
    for step in iteration.take(STEPS) {
        let step = step?;
        values.push((step.iteration as f64, step.values.start_return));
    }
    Ok(values)
}

fn arrival(name: &str, values: &[(f64, f64)], best: f64) -> String {
    let arrived = values.iter().find(|(_, value)| best - value < ARRIVED);
    let text = arrived.map_or_else(|| format!("more than {STEPS}"), |(step, _)| step.to_string());
    format!("{name}: {text}")
}

/// The gap and both bounds on random MDPs with random abstractions, counted models and latent
/// policies inside the neighbourhood.
fn bounds(table: &mut Table) -> Result<(Panel, String)> {
    let (mut tight, mut full) = (Vec::new(), Vec::new());
    let (mut smallest, mut largest) = (f64::INFINITY, 0.0_f64);
    for instance in 0..INSTANCES {
        let mdp = random_mdp(12, 3, 3, BOUND_GAMMA, 1_000 + instance)?;
        let abstraction = random_abstraction(&mdp, 5, 2_000 + instance)?;
        let latent_behaviour = random_policy(5, 3, 3_000 + instance)?;
        let behaviour = abstraction.lift(&latent_behaviour)?;
        let latents = abstraction.latents();
        let metric = Metric::discrete(latents);
        let model = WorldModel::counted(&mdp, abstraction, &behaviour, Unvisited::Absorb, metric)?;
        // One safe step in the model, with a radius between 1 and 1 / gamma.
        let share = (instance % 9 + 1) as f64 / 10.0;
        let neighbourhood = Neighbourhood::new(1.0 + share * (1.0 / BOUND_GAMMA - 1.0))?;
        let scores = evaluate(model.model(), &latent_behaviour)?.advantage;
        let policy = neighbourhood.step(model.model(), &latent_behaviour, &scores)?;
        let theorem = theorem_two(&mdp, &model, &behaviour, &policy)?;
        let (Some(near), Some(far)) = (theorem.tight, theorem.right_hand_side) else { continue };
        let mark = |y| Mark { x: theorem.gap, y, error: None };
        tight.push(mark(near));
        full.push(mark(far));
        smallest = smallest.min(near / theorem.gap);
        largest = largest.max(theorem.gap / far);
        table.push(&[&"tight bound", &neighbourhood.c(), &instance, &0, &theorem.gap, &near])?;
        table.push(&[&"theorem 2", &neighbourhood.c(), &instance, &0, &theorem.gap, &far])?;
    }
    let gaps = tight.iter().map(|mark| mark.x).filter(|x| *x > 0.0);
    let (low, high) = gaps.fold((f64::INFINITY, 0.0_f64), |(l, h), x| (l.min(x), h.max(x)));
    let series = |label: &str, index, marker, points| {
        Layer::Points(Points { label: label.into(), colour: Colour::Series(index), marker, points })
    };
    let count = tight.len();
    let panel = Panel {
        title: "Gap against bounds".into(),
        x: Axis::log10("gap between MDP and world model"),
        y: Axis::log10("bound"),
        layers: vec![
            Layer::Segment(Segment { from: (low, low), to: (high, high), colour: Colour::Grey }),
            series("Theorem 2", 4, Marker::Square, full),
            series("tighter form", 5, Marker::Circle, tight),
        ],
        legend: true,
    };
    let sentence = format!(
        "Right: {count} random MDPs (12 states onto 5 latents, gamma {BOUND_GAMMA}); on the grey line a bound would be exact. \
         The tighter form is at least {smallest:.1} times the gap; the gap is at most {largest:.1e} of Theorem 2's bound."
    );
    Ok((panel, sentence))
}
