//! What the room knows: ranges that both panels share, and where each agent's points are right now.

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

/// Width over height of a panel; the style sheet has the same number.
pub const ASPECT: f32 = 4.0 / 3.0;
/// More pixels per CSS pixel than this nobody sees.
const FINEST: f64 = 3.0;

/// What both panels share.
#[derive(Clone, Copy, Debug)]
pub struct Desk {
    /// State that is looked at in every room.
    pub selected: RwSignal<Option<usize>>,
    /// The maze; the agents' may differ in the discount only.
    pub maze: Memo<Option<Maze>>,
    /// State under the pointer, in either panel.
    pub hovered: RwSignal<Option<usize>>,
    /// Values at the two ends of the palette: of both agents, so that colours can be compared.
    pub range: RwSignal<[f32; 2]>,
    /// Colours of the page.
    pub theme: RwSignal<Theme>,
}

impl Desk {
    /// Follows the values of both agents.
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

    /// The room's, which every part of it is given.
    pub fn here() -> Self {
        expect_context()
    }

    /// State that is looked at: the one under the pointer, or else the one selected, or else, as in
    /// the maze's room, the upper star; none without a maze.
    pub fn focus(self) -> Option<usize> {
        let states = [self.hovered.get(), self.selected.get()];
        self.maze.with(|maze| {
            let maze = maze.as_ref()?;
            let there = states.into_iter().flatten().find(|state| *state < maze.states());
            Some(there.unwrap_or(maze.stars()[0]))
        })
    }

    /// Takes over the colours of the page.
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
    /// Where the agent stands.
    pub view: RwSignal<Option<Arc<AgentView>>>,
    /// Where everything is at this moment.
    pub shot: RwSignal<Shot>,
    /// From latents to CSS pixels at this moment.
    pub window: Memo<Window>,
    /// Where the names stand.
    pub sides: Memo<[Side; 3]>,
    /// How the picture is to be drawn.
    pub scene: Memo<LatentScene>,
    /// Where everything is going to be; its range is that of the desk.
    target: RwSignal<Shot>,
    motion: StoredValue<Motion>,
    /// Whether a frame is due.
    is_moving: StoredValue<bool>,
}

impl Panel {
    /// Follows an agent, in a picture of this width.
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

    /// Places of all states, in CSS pixels.
    pub fn places(self) -> Vec<[f32; 2]> {
        let window = self.window.get();
        if !window.is_open() {
            return Vec::new();
        }
        self.shot.with(|shot| shot.points.iter().map(|point| window.place(*point)).collect())
    }

    /// Where everything is going to be: what a saved picture shows.
    pub fn target(self) -> Shot {
        self.target.get_untracked()
    }

    /// States that are drawn unlike the others.
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

    /// Shows the glide as it is now, and again at the next frame if it goes on.
    fn tick(self) {
        let now = now_ms();
        let state = self.motion.try_with_value(|motion| (motion.at(now), motion.is_over(now)));
        // The room may have been left since the frame was asked for.
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
