//! The state of the room: ranges that both panels share, and the current positions of each agent's
//! points.

use std::sync::Arc;

use deepspi_playground::protocol::{AgentView, LatentScene};
use deepspi_playground::scene::colour::viridis;
use deepspi_playground::scene::labels::{Side, sides};
use deepspi_playground::scene::motion::Motion;
use deepspi_playground::scene::picture::Window;
use deepspi_playground::scene::steady::{Steady, extent};
use deepspi_playground::scene::{Roles, Shot};
use deepspi_worlds::maze::Maze;
use leptos::prelude::*;

use super::theme::{Theme, glide_ms};
use crate::page::state::Playground;
use crate::plot::Axis;

/// Width divided by height of a panel; must equal the number in the style sheet.
pub const ASPECT: f32 = 4.0 / 3.0;
/// Largest number of pixels per CSS pixel; more would not be visible.
const FINEST: f64 = 3.0;

/// State that both panels share.
#[derive(Clone, Copy, Debug)]
pub struct Desk {
    /// The selected state, shared by all rooms.
    pub selected: RwSignal<Option<usize>>,
    /// The maze; the agents' mazes may differ only in the discount.
    pub maze: Memo<Option<Maze>>,
    /// The state under the pointer, in either panel.
    pub hovered: RwSignal<Option<usize>>,
    /// Values at the two ends of the palette, over both agents, so that colours can be compared.
    pub range: RwSignal<[f32; 2]>,
    /// Colours of the page.
    pub theme: RwSignal<Theme>,
}

impl Desk {
    /// Creates the state, which follows the values of both agents.
    pub fn new() -> Self {
        let playground = Playground::here();
        let desk = Self {
            selected: playground.selected,
            maze: Memo::new(move |_| playground.maze(0)),
            hovered: RwSignal::new(None),
            range: RwSignal::new([0.0, 1.0]),
            theme: RwSignal::new(Theme::read()),
        };
        let steady = StoredValue::new(Steady::default());
        Effect::new(move |_| {
            let views = playground.agents.map(|agent| agent.view.get());
            if views.iter().all(Option::is_none) {
                return steady.set_value(Steady::default());
            }
            let values = views.iter().flatten().flat_map(|view| view.report.values.iter().copied());
            let wanted = Axis::linear(values, [0.0, 1.0], 0.25).ends();
            let mut kept = steady.get_value();
            #[expect(clippy::cast_possible_truncation, reason = "for the eye")]
            let range = kept.follow(wanted.map(|end| end as f32));
            steady.set_value(kept);
            if desk.range.get_untracked() != range {
                desk.range.set(range);
            }
        });
        desk
    }

    /// The state of the room, from the context of its components.
    pub fn here() -> Self {
        expect_context()
    }

    /// The state whose details are shown: the one under the pointer, else the selected one, else
    /// the upper star, as in the maze room; none without a maze.
    pub fn focus(self) -> Option<usize> {
        let states = [self.hovered.get(), self.selected.get()];
        self.maze.with(|maze| {
            let maze = maze.as_ref()?;
            let there = states.into_iter().flatten().find(|state| *state < maze.states());
            Some(there.unwrap_or(maze.stars()[0]))
        })
    }

    /// Reads the colours of the page.
    pub fn read_theme(self) {
        let theme = Theme::read();
        if self.theme.get_untracked() != theme {
            self.theme.set(theme);
        }
    }
}

/// One agent's panel.
#[derive(Clone, Copy, Debug)]
pub struct Panel {
    /// Which agent.
    pub agent: usize,
    /// The room.
    pub desk: Desk,
    /// Its maze.
    pub maze: Memo<Option<Maze>>,
    /// The current view of the agent.
    pub view: RwSignal<Option<Arc<AgentView>>>,
    /// The shot that is currently shown.
    pub shot: RwSignal<Shot>,
    /// The current map from latents to CSS pixels.
    pub window: Memo<Window>,
    /// The sides of their marks on which the names stand.
    pub sides: Memo<[Side; 3]>,
    /// Sizes, ranges and colours of the picture.
    pub scene: Memo<LatentScene>,
    /// The shot at the end of the motion; its range is that of the desk.
    target: RwSignal<Shot>,
    motion: StoredValue<Motion>,
    /// Whether an animation frame was requested.
    is_moving: StoredValue<bool>,
}

impl Panel {
    /// Creates the panel of an agent with a picture of this width.
    pub fn new(agent: usize, width: Signal<f64>) -> Self {
        let desk = Desk::here();
        let playground = Playground::here();
        let maze = Memo::new(move |_| playground.maze(agent));
        let size = Memo::new(move |_| {
            #[expect(clippy::cast_possible_truncation, reason = "pixels")]
            let width = width.get() as f32;
            [width, width / ASPECT]
        });
        let [shot, target] = [RwSignal::new(Shot::default()), RwSignal::new(Shot::default())];
        let scene = Memo::new(move |_| {
            scene(size.get(), desk.theme.get(), target.with(|shot| shot.extent), desk.range.get())
        });
        let panel = Self {
            agent,
            desk,
            maze,
            view: playground.agents[agent].view,
            shot,
            window: Memo::new(move |_| Window {
                size: size.get(),
                extent: shot.with(|shot| shot.extent),
            }),
            sides: Memo::new(move |_| {
                let size = size.get();
                let roles = maze.with(|maze| maze.as_ref().map(Roles::of)).unwrap_or_default();
                target
                    .with(|shot| sides(&Window { size, extent: shot.extent }, roles, &shot.points))
            }),
            scene,
            target,
            motion: StoredValue::new(Motion::default()),
            is_moving: StoredValue::new(false),
        };
        let steady = StoredValue::new(Steady::default());
        Effect::new(move |_| panel.follow(steady));
        Effect::new(move |_| {
            let shot = Shot { range: desk.range.get(), ..target.get() };
            let glide = scene.with_untracked(|scene| scene.glide);
            panel.motion.update_value(|motion| motion.aim(shot, now_ms(), glide));
            if !panel.is_moving.get_value() {
                panel.tick();
            }
        });
        panel
    }

    /// Current positions of all states, in CSS pixels.
    pub fn places(self) -> Vec<[f32; 2]> {
        let window = self.window.get();
        if !window.is_open() {
            return Vec::new();
        }
        self.shot.with(|shot| shot.points.iter().map(|point| window.place(*point)).collect())
    }

    /// The shot at the end of the motion, which a saved picture shows.
    pub fn target(self) -> Shot {
        self.target.get_untracked()
    }

    /// States with special marks.
    pub fn roles(self) -> Roles {
        self.maze.with(|maze| maze.as_ref().map(Roles::of)).unwrap_or_default()
    }

    fn follow(self, steady: StoredValue<Steady>) {
        let points = |view: &AgentView| {
            let points = view.points.as_ref()?;
            Some(Shot::new(points, &view.report.values, 0.0, [0.0; 2]))
        };
        let shot = self.view.with(|view| view.as_ref().and_then(|view| points(view)));
        let Some(shot) = shot else {
            steady.set_value(Steady::default());
            return self.target.set(Shot::default());
        };
        let wanted = extent(&shot.points, ASPECT);
        let mut kept = steady.get_value();
        let [_, extent] = kept.follow([-wanted, wanted]);
        steady.set_value(kept);
        self.target.set(Shot { extent, ..shot });
    }

    /// Shows the current state of the motion, and requests another frame if the motion continues.
    fn tick(self) {
        let now = now_ms();
        let state = self.motion.try_with_value(|motion| (motion.at(now), motion.is_over(now)));
        // The user may have left the room after the frame was requested.
        let Some((shot, is_over)) = state else { return };
        self.shot.set(shot);
        self.is_moving.set_value(!is_over);
        if !is_over {
            request_animation_frame(move || self.tick());
        }
    }
}

fn scene(size: [f32; 2], theme: Theme, extent: f32, range: [f32; 2]) -> LatentScene {
    #[expect(clippy::cast_possible_truncation, reason = "a small number")]
    let scale = window().device_pixel_ratio().clamp(1.0, FINEST) as f32;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels")]
    let size = size.map(|css| (css * scale).round() as u32);
    LatentScene {
        size,
        scale,
        extent,
        range,
        background: theme.background,
        grid: theme.grid,
        outline: theme.outline,
        line: theme.line,
        palette: viridis(),
        glide: glide_ms(),
    }
}

fn now_ms() -> f64 {
    window().performance().map_or_else(js_sys::Date::now, |clock| clock.now())
}
