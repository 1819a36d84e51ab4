//! The maze of the first screen, with the walking agent.

use std::sync::Arc;
use std::time::Duration;

use deepspi_playground::experiment::Experiment;
use deepspi_run::maze::MazeReport;
use deepspi_worlds::maze::Maze;
use leptos::leptos_dom::helpers::{IntervalHandle, set_interval_with_handle};
use leptos::prelude::*;

use crate::opening::{Marks, untrained};
use crate::page::charts::{Drawing, width_of};
use crate::page::maze::board::Walker;
use crate::page::maze::signals::MazeSignals;
use crate::page::motion::calm;
use crate::page::state::Playground;
use crate::plot::{MazePlot, Picture, number};
use crate::walk::Walk;

/// Time per step; the transition in `maze.css` is shorter.
const STEP: Duration = Duration::from_millis(450);
/// Steps against walls that are left out at once, at most.
const HIDDEN: usize = 40;
/// Largest side of a cell in pixels.
const LARGEST: f64 = 96.0;

/// The signals of the first screen.
#[derive(Clone, Copy, Debug)]
pub struct StageSignals {
    agents: MazeSignals,
    agent: usize,
    /// The maze.
    pub maze: Memo<Option<Maze>>,
    /// The report of the trained agent, or of an untrained one until there is another.
    pub report: Memo<Option<Arc<MazeReport>>>,
    /// Values to compare with.
    pub marks: Memo<Option<Marks>>,
    /// Whether the agent walks.
    pub moving: Memo<bool>,
    /// What the user said about that.
    wanted: RwSignal<Option<bool>>,
}

impl StageSignals {
    /// Follows an agent of the page.
    pub fn new(playground: Playground, agent: usize) -> Self {
        let agents = MazeSignals::new(playground);
        let maze = agents.mazes[agent];
        let own =
            Memo::new(move |_| maze.with(|maze| Some(Arc::new(untrained(maze.as_ref()?).ok()?))));
        // It changes together with the maze: a view that is still drawn may belong to another one.
        let report = Memo::new(move |_| {
            let states = maze.with(|maze| maze.as_ref().map(Maze::states))?;
            let trained = agents.view(agent).filter(|view| view.report.values.len() == states);
            trained.map(|view| Arc::new(view.report.clone())).or_else(|| own.get())
        });
        let marks = Memo::new(move |_| maze.with(|maze| Marks::of(maze.as_ref()?).ok()));
        let (calm, wanted) = (calm(), RwSignal::new(None));
        let moving = Memo::new(move |_| wanted.get().unwrap_or(!calm.get()));
        Self { agents, agent, maze, report, marks, moving, wanted }
    }

    /// How long the agent has been trained.
    pub fn steps(self) -> u64 {
        self.agents.view(self.agent).map_or(0, |view| view.global_step)
    }

    /// Lets the agent walk, or stops it.
    pub fn set_moving(self, moving: bool) {
        self.wanted.set(Some(moving));
    }
}

/// The picture of the maze with the agent.
#[component]
pub fn Stage(shown: StageSignals) -> impl IntoView {
    let (frame, svg) = (NodeRef::new(), NodeRef::new());
    let width = width_of(frame);
    let place = RwSignal::new(None::<usize>);
    walk(shown, place);
    let title = Memo::new(move |_| {
        let name = shown.agents.name(shown.agent);
        match shown.steps() {
            0 => format!("{name}, not trained yet"),
            steps => format!("{name} after {} agent steps", number(steps as f64)),
        }
    });
    let picture = Memo::new(move |_| {
        let (maze, report, marks) = (shown.maze.read(), shown.report.get(), shown.marks.get());
        let Some(maze) = &*maze else { return Picture::default() };
        let values = report.iter().flat_map(|report| report.values.iter().copied());
        MazePlot {
            title: &title.read(),
            maze,
            report: report.as_deref(),
            scale: &MazePlot::scale(values, marks.map_or(0.0, |marks| marks.optimum)),
            selected: None,
            largest: LARGEST,
            width: width.get(),
        }
        .draw()
    });
    let area = Memo::new(move |_| picture.with(|picture| picture.area));
    view! {
        <figure class="chart maze-board">
            <div class="chart-frame" node_ref=frame>
                <Drawing picture svg/>
                <Walker maze=shown.maze second=shown.agent == 1 place area/>
            </div>
            <figcaption>
                "I start, ? fork where chance decides, ★ the two stars, G goal, F trap, W exit. Colour and \
                 number: what the agent can expect from there, V. Arrows: what it does."
            </figcaption>
        </figure>
    }
}

/// Moves the agent while it may move.
fn walk(shown: StageSignals, place: RwSignal<Option<usize>>) {
    let walk = StoredValue::new(None::<Walk>);
    let clock = StoredValue::new_local(None::<IntervalHandle>);
    let stop = move || {
        if let Some(Some(clock)) = clock.try_update_value(Option::take) {
            clock.clear();
        }
    };
    let step = move || {
        let Some(report) = shown.report.get_untracked() else { return };
        walk.try_update_value(|walk| {
            if let Some(walk) = walk {
                walk.move_on(&report.policy, HIDDEN);
                place.set(Some(walk.state()));
            }
        });
    };
    // A new maze or seed begins a new walk; a pause does not.
    Effect::new(move || {
        let seed = shown.agents.playground().opened.with(Experiment::seed);
        let maze = shown.maze.get();
        place.set(maze.as_ref().map(Maze::start));
        walk.set_value(maze.map(|maze| Walk::new(maze, seed)));
    });
    Effect::new(move || {
        stop();
        if shown.moving.get() {
            clock.set_value(set_interval_with_handle(step, STEP).ok());
        }
    });
    on_cleanup(stop);
}
