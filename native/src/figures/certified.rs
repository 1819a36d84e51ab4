//! Costs and benefits of keeping the premises of Theorem 3.

use anyhow::{Result, bail};
use deepspi_theory::{Mdp, MdpParts, optimal};
use deepspi_worlds::maze::{Maze, MazeReset};
use serde_json::json;

use super::experiment::{Experiment, Point, Record};
use super::kept_runs::KeptRuns;
use super::layers::{banded, over_training, reference};
use super::maze::references;
use super::methods::{final_value, seeded, summary};
use super::output::{Output, describe};
use crate::chart::table::Table;
use crate::chart::{Axis, Colour, Figure, Panel};
use crate::stats::median;

/// Discount at which the bound is not vacuous.
const GAMMA: f32 = 0.9;
/// Names and colours of the two runs.
const SHOWN: [(&str, Colour); 2] =
    [("default", Colour::Series(3)), ("certified", Colour::Series(2))];

/// `figures certified`.
///
/// # Errors
/// If a run fails.
pub fn make(kept_runs: &KeptRuns, base: &Experiment, seeds: u64) -> Result<Vec<Output>> {
    if base.maze.maze_reset == MazeReset::Parity {
        bail!(
            "a certified run needs the terminal frame of each episode; leave out --maze-reset parity"
        );
    }
    let mut default = base.clone();
    default.config.gamma = GAMMA;
    let mut certified = default.clone();
    certified.config = certified.config.certify();
    let [best, right] = references(&default)?;
    let worst = worst(&default)?;
    let wanted = [seeded(&default, seeds), seeded(&certified, seeds)].concat();
    let records = kept_runs.records("certified", &wanted)?;
    let (plain, kept) = records.split_at(seeds as usize);
    let groups = [plain, kept];

    let limit = 1.0 / f64::from(GAMMA);
    let mut value = vec![reference("optimum", best), reference("always RIGHT", right)];
    let mut sup = vec![reference(format!("1/gamma = {limit:.3}"), limit)];
    for (group, (name, colour)) in groups.into_iter().zip(SHOWN) {
        value.extend(banded(name, colour, &over_training(group, 1, |point| point.start_value)));
        sup.extend(banded(name, colour, &over_training(group, 1, |point| point.ratio_sup.into())));
    }
    let zeta = |point: &Point| point.certificate.and_then(|c| c.zeta).unwrap_or(f64::NAN);
    let whole = |point: &Point| point.certificate.map_or(f64::NAN, |c| c.projection.share_whole());
    let (name, colour) = SHOWN[1];
    let panel = |title: &str, y, layers| Panel {
        title: title.into(),
        x: Axis::linear("agent steps"),
        y,
        layers,
        legend: false,
    };
    let figure = Figure {
        title: "A run that keeps the ratio premise of Theorem 3".into(),
        subtitle: Some(format!(
            "DeepSPI on the maze, gamma = {GAMMA}, C = {:.3} < 1/gamma; preset {}; median and 95 % bootstrap band over {seeds} seeds",
            1.0 + certified.config.clip_coef,
            base.preset()
        )),
        panels: vec![
            panel("Value of the policy", Axis::linear("V(s_I)"), value),
            panel("Largest importance ratio of an iteration", Axis::linear("D_IR^sup"), sup),
            panel(
                "Bound of Theorem 3, estimated",
                Axis::log10("zeta"),
                banded(name, colour, &over_training(kept, 1, zeta)).into(),
            ),
            panel(
                "Updates inside N^C as they came",
                Axis::linear("share of the iteration's updates").with_range(0.0, 1.0),
                banded(name, colour, &over_training(kept, 1, whole)).into(),
            ),
        ],
        columns: 2,
        shared_legend: true,
        footnote: Some(sentence(&groups, best, best - worst)),
    };
    let mut table = Table::new(&[
        "run",
        "seed",
        "iteration",
        "agent_steps",
        "start_value",
        "ratio_sup",
        "ratio_inf",
        "average_episode_length",
        "reward_loss",
        "transition_loss",
        "value_lipschitz",
        "zeta",
        "updates_whole",
        "updates_shortened",
        "updates_rejected",
    ]);
    let text = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
    for (group, (name, _)) in groups.into_iter().zip(SHOWN) {
        for record in group {
            for point in record.points.iter().skip(1) {
                let c = point.certificate;
                let count = |of: fn(&deepspi_run::certificate::Projection) -> u32| {
                    c.map_or_else(String::new, |c| of(&c.projection).to_string())
                };
                table.push(&[
                    &name,
                    &record.experiment.config.seed,
                    &point.iteration,
                    &point.global_step,
                    &point.start_value,
                    &point.ratio_sup,
                    &point.ratio_inf,
                    &text(c.and_then(|c| c.average_episode_length)),
                    &text(c.map(|c| c.reward_loss)),
                    &text(c.map(|c| c.transition_loss)),
                    &text(c.map(|c| c.value_lipschitz)),
                    &text(c.and_then(|c| c.zeta)),
                    &count(|p| p.whole),
                    &count(|p| p.shortened),
                    &count(|p| p.rejected),
                ])?;
            }
        }
    }
    let settings = json!({
        "default": describe(&default),
        "certified": describe(&certified),
        "seeds": seeds,
        "device": kept_runs.device().description,
    });
    Ok(vec![Output { name: "certified".into(), figure, table, settings }])
}

/// Value of the worst policy: minus the optimum of the maze with all rewards reversed.
fn worst(experiment: &Experiment) -> Result<f64> {
    let maze = Maze::new(experiment.maze, experiment.config.gamma.into())?;
    let mdp = maze.mdp()?;
    let parts = MdpParts {
        states: mdp.states(),
        actions: mdp.actions(),
        transitions: (0..mdp.states())
            .flat_map(|s| (0..mdp.actions()).map(move |a| (s, a)))
            .map(|(s, a)| mdp.row(s, a).collect())
            .collect(),
        rewards: mdp.rewards().iter().map(|reward| -reward).collect(),
        gamma: mdp.gamma(),
        start: mdp.start(),
        terminal: mdp.terminal().to_vec(),
    };
    Ok(-optimal(&Mdp::new(parts)?)?.values.start_return)
}

/// A sentence on the final values, and on how far the bound is from being informative. `range`: the
/// optimum minus the value of the worst policy.
fn sentence(groups: &[&[Record]; 2], best: f64, range: f64) -> String {
    let end = |records: &[Record]| {
        let values: Vec<f64> = records.iter().map(final_value).collect();
        summary(&values).map_or_else(String::new, |s| {
            format!("{:.2} [{:.2}, {:.2}]", s.median, s.interval.low, s.interval.high)
        })
    };
    let seconds = |records: &[Record]| records.iter().map(|r| r.seconds).sum::<f64>();
    let zetas = groups[1].iter().flat_map(|record| &record.points);
    let zetas: Vec<f64> = zetas.filter_map(|point| point.certificate?.zeta).collect();
    let zeta = median(&zetas).unwrap_or(f64::NAN);
    // No improvement can exceed the distance of the worst policy from the optimum.
    let useful = zetas.iter().filter(|zeta| **zeta < range).count();
    format!(
        "V(s_I) at the end, median [95 %]: default {}, certified {} (optimum {best:.2}). A certified run takes {:.1} times as long. Median zeta {zeta:.0}; no improvement on this maze can exceed {range:.0}, and zeta was below that in {useful} of {} iterations: only there could the certificate say something.",
        end(groups[0]),
        end(groups[1]),
        seconds(groups[1]) / seconds(groups[0]),
        zetas.len(),
    )
}
