//! One agent's maze: the picture, a button for each cell, and the walking agent.
//!
//! To a screen reader the picture is a single image. A button lies over each cell; only one of the
//! buttons is in the tab order, and the arrow keys move between them.

use deepspi_run::maze::MazeReport;
use deepspi_theory::optimal;
use deepspi_worlds::maze::{ACTIONS, Action, Maze};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use super::signals::MazeSignals;
use crate::cells::{self, ACTION_NAMES};
use crate::page::charts::{Drawing, SaveMenu, as_shown, of_run, width_of};
use crate::plot::{Area, Axis, MazePlot, Picture, number};

/// Largest side of a cell in pixels.
const LARGEST: f64 = 76.0;

/// The colour scale of values, which both boards share.
pub fn common_scale(shown: MazeSignals) -> Memo<Axis> {
    let best = Memo::new(move |_| {
        let optimum = |maze: &Maze| Some(optimal(&maze.mdp().ok()?).ok()?.values.v);
        let values = shown.mazes.iter().filter_map(|maze| optimum(maze.read().as_ref()?));
        values.flatten().fold(0.0_f64, f64::max)
    });
    Memo::new(move |_| {
        let views = [0, 1].map(|agent| shown.view(agent));
        let values = views.iter().flatten().flat_map(|view| view.report.values.iter().copied());
        MazePlot::scale(values, best.get())
    })
}

/// One agent's maze.
#[component]
pub fn Board(
    /// The signals of both agents.
    shown: MazeSignals,
    /// Which agent.
    agent: usize,
    /// The colour scale of values.
    scale: Memo<Axis>,
    /// The state of the walking agent, if it walks.
    place: RwSignal<Option<usize>>,
    /// Whether only a press selects a cell, and not pointing at it.
    #[prop(optional)]
    by_press: bool,
) -> impl IntoView {
    let (frame, svg) = (NodeRef::new(), NodeRef::new());
    let width = width_of(frame);
    let selected = Memo::new(move |_| shown.selected());
    let title = Signal::derive(move || {
        let steps = shown.view(agent).map_or(0, |view| view.global_step);
        format!("{} after {} agent steps", shown.name(agent), number(steps as f64))
    });
    let picture = Memo::new(move |_| {
        let Some(maze) = &*shown.mazes[agent].read() else { return Picture::default() };
        let view = shown.view(agent);
        MazePlot {
            title: &title.read(),
            maze,
            report: view.as_ref().map(|view| &view.report),
            scale: &scale.read(),
            selected: Some(selected.get()),
            largest: LARGEST,
            width: width.get(),
        }
        .draw()
    });
    let area = Memo::new(move |_| picture.with(|picture| picture.area));
    let source = of_run();
    let csv = move |()| {
        let both = shown.mazes[agent].get_untracked().zip(shown.view(agent));
        both.map_or_else(String::new, |(maze, view)| {
            let source = source.get_untracked().text;
            cells::csv(&maze, &view.report, view.cells.as_ref(), &source)
        })
    };
    let name = Signal::derive(move || format!("maze of {}", shown.name(agent)));
    let cells = move || {
        let maze = shown.mazes[agent].get()?;
        let cell = |state| cell(&Cell { shown, agent, state, selected, area, by_press }, &maze);
        Some((0..maze.states()).map(cell).collect_view())
    };
    view! {
        <figure class="chart maze-board">
            <div class="chart-frame" node_ref=frame>
                <Drawing picture svg/>
                <div role="group" aria-label=move || format!("Cells, {}", name.get())>
                    {cells}
                </div>
                <Walker maze=shown.mazes[agent] second=agent == 1 place area/>
                <SaveMenu title=name draw=as_shown(svg) source csv=Callback::new(csv)/>
            </div>
        </figure>
    }
}

/// The data of a cell's button.
#[derive(Clone, Copy)]
struct Cell {
    shown: MazeSignals,
    agent: usize,
    state: usize,
    selected: Memo<usize>,
    area: Memo<Area>,
    by_press: bool,
}

fn cell(cell: &Cell, maze: &Maze) -> impl IntoView + use<> {
    let Cell { shown, agent, state, selected, area, by_press } = *cell;
    let select = move || {
        let selected = shown.playground().selected;
        if selected.get_untracked() != Some(state) {
            selected.set(Some(state));
        }
    };
    let (name, is_end) = (cells::name(maze, state), maze.tile(state).is_terminal());
    let label = move || match shown.view(agent) {
        Some(view) if !is_end => describe(name, &view.report, state),
        _ => name.to_owned(),
    };
    let neighbours = Action::ALL.map(|direction| cells::neighbour(maze, state, direction));
    let key = move |event: KeyboardEvent| {
        let direction = match event.key().as_str() {
            "ArrowUp" => Action::Up,
            "ArrowDown" => Action::Down,
            "ArrowLeft" => Action::Left,
            "ArrowRight" => Action::Right,
            _ => return,
        };
        event.prevent_default();
        let next = neighbours[direction as usize];
        let next = next.and_then(|next| document().get_element_by_id(&id(agent, next)));
        if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
            // The focus selects the cell.
            drop(next.focus());
        }
    };
    let is_selected = move || selected.get() == state;
    let (columns, place) = (maze.columns(), maze.cell(state));
    let bounds = move || bounds(area.get(), columns, place);
    view! {
        <button
            type="button"
            id=id(agent, state)
            class="maze-cell"
            tabindex=move || if is_selected() { "0" } else { "-1" }
            aria-pressed=move || is_selected().to_string()
            aria-label=label
            style:left=move || pixels(bounds().left)
            style:top=move || pixels(bounds().top)
            style:width=move || pixels(bounds().width())
            style:height=move || pixels(bounds().height())
            on:pointerenter=move |_| {
                if !by_press {
                    select();
                }
            }
            on:focus=move |_| select()
            on:click=move |_| select()
            on:keydown=key
        ></button>
    }
}

/// The walking agent. It slides to a neighbouring cell, and jumps to any other cell.
#[component]
pub fn Walker(
    /// The maze in which it walks.
    maze: Memo<Option<Maze>>,
    /// Whether it has the colour of the second agent.
    second: bool,
    /// Its state, if it walks.
    place: RwSignal<Option<usize>>,
    /// The rectangle of the maze's picture.
    area: Memo<Area>,
) -> impl IntoView {
    let bounds = move || {
        let maze = maze.read();
        let (maze, state) = (maze.as_ref()?, place.get()?);
        (state < maze.states()).then(|| bounds(area.get(), maze.columns(), maze.cell(state)))
    };
    let before = StoredValue::new([0.0; 2]);
    let jumps = move || {
        let Some(bounds) = bounds() else { return true };
        let [left, top] = before.get_value();
        before.set_value([bounds.left, bounds.top]);
        (bounds.left - left).hypot(bounds.top - top) > 1.6 * bounds.width()
    };
    view! {
        <Show when=move || bounds().is_some()>
            <div
                class="maze-agent"
                class:second=second
                class:jumps=jumps
                aria-hidden="true"
                style:width=move || pixels(bounds().unwrap_or_default().width())
                style:height=move || pixels(bounds().unwrap_or_default().height())
                style:transform=move || {
                    let Area { left, top, .. } = bounds().unwrap_or_default();
                    format!("translate({}, {})", pixels(left), pixels(top))
                }
            ></div>
        </Show>
    }
}

/// Description of a cell for screen readers.
fn describe(name: &str, report: &MazeReport, state: usize) -> String {
    let policy = report.policy.iter().skip(state * ACTIONS).take(ACTIONS);
    let actions = policy.zip(ACTION_NAMES).map(|(p, name)| format!("{name} {:.0} %", 100.0 * p));
    let value = report.values.get(state).map_or(f64::NAN, |value| *value);
    format!("{name}: V {}, {}", number(value), actions.collect::<Vec<_>>().join(", "))
}

fn bounds(area: Area, columns: usize, (row, column): (usize, usize)) -> Area {
    let side = area.width() / columns as f64;
    let (left, top) = (area.left + column as f64 * side, area.top + row as f64 * side);
    Area { left, top, right: left + side, bottom: top + side }
}

fn pixels(x: f64) -> String {
    format!("{x:.1}px")
}

fn id(agent: usize, state: usize) -> String {
    format!("maze-cell-{agent}-{state}")
}
