//! The encoder's latents of the maze, early and late in training.

use anyhow::Result;
use deepspi_core::pca::principal_components;
use deepspi_run::config::Algorithm;
use deepspi_worlds::maze::{Maze, Tile};
use serde_json::json;

use super::experiment::{Experiment, Snapshot};
use super::kept_runs::KeptRuns;
use super::methods::all_methods;
use super::output::{Output, describe};
use crate::chart::table::Table;
use crate::chart::{
    Axis, Colour, ColourScale, Figure, Layer, Marker, Panel, Scatter, Segment, Spot,
};

/// The algorithms that are shown, from left to right.
const SHOWN: [Algorithm; 2] = [Algorithm::Ppo, Algorithm::DeepSpi];

/// `figures latents`, from the runs of `figures maze` with seed 1.
///
/// # Errors
/// If a run fails.
pub fn make(kept_runs: &KeptRuns, base: &Experiment) -> Result<Vec<Output>> {
    let maze = Maze::new(base.maze, base.config.gamma.into())?;
    let records = kept_runs.records("maze", &all_methods(base, 1))?;
    let mut table = Table::new(&[
        "algorithm",
        "iteration",
        "state",
        "row",
        "column",
        "tile",
        "x",
        "y",
        "value",
    ]);
    let mut panels = Vec::new();
    for late in [false, true] {
        for algo in SHOWN {
            let record = records.iter().find(|r| r.experiment.config.algo == algo);
            let snapshots = record.map(|record| record.snapshots.as_slice()).unwrap_or_default();
            let snapshot = if late { snapshots.last() } else { snapshots.first() };
            if let Some(snapshot) = snapshot {
                panels.push(panel(&maze, algo, snapshot, &mut table)?);
            }
        }
    }
    let figure = Figure {
        title: "Latents of all states of the maze".into(),
        subtitle: Some(format!(
            "first two principal components; seed 1; the two stars are joined; cue = {}, preset {}",
            base.maze.cue,
            base.preset()
        )),
        panels,
        columns: SHOWN.len(),
        shared_legend: false,
        footnote: None,
    };
    let settings =
        json!({ "experiment": describe(base), "device": kept_runs.device().description });
    Ok(vec![Output { name: "latents".into(), figure, table, settings }])
}

fn panel(maze: &Maze, algo: Algorithm, snapshot: &Snapshot, table: &mut Table) -> Result<Panel> {
    let [upper, lower] = maze.stars();
    // Orients every panel in the same way: the upper star right of the centre, the start above it.
    let anchors = [upper, maze.start()];
    let Some(projection) = principal_components(&snapshot.latents, maze.states(), anchors) else {
        anyhow::bail!("the latents of {} are not finite", algo.name());
    };
    let mut spots = Vec::new();
    for (state, [x, y]) in projection.points.iter().copied().enumerate() {
        let tile = maze.tile(state);
        let (row, column) = maze.cell(state);
        let label = match tile {
            Tile::Start => Some("start".to_owned()),
            Tile::Star => Some(if state == upper { "upper star" } else { "lower star" }.to_owned()),
            _ => None,
        };
        spots.push(Spot { x, y, value: snapshot.values[state], label });
        let tile = format!("{tile:?}").to_lowercase();
        table.push(&[
            &algo.name(),
            &snapshot.iteration,
            &state,
            &row,
            &column,
            &tile,
            &x,
            &y,
            &snapshot.values[state],
        ])?;
    }
    let at = |state: usize| (projection.points[state][0], projection.points[state][1]);
    let share =
        |axis: usize| format!("{:.0} % of the variance", 100.0 * projection.explained[axis]);
    Ok(Panel {
        title: format!("{} after {} iterations", algo.label(), snapshot.iteration),
        x: Axis::linear(share(0)),
        y: Axis::linear(share(1)),
        layers: vec![
            Layer::Segment(Segment { from: at(upper), to: at(lower), colour: Colour::Grey }),
            Layer::Scatter(Scatter {
                marker: Marker::Circle,
                points: spots,
                scale: ColourScale { label: "V(s)".into(), range: None },
            }),
        ],
        legend: false,
    })
}
