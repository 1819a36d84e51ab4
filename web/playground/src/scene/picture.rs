//! The picture as a list of marks in pixels, from back to front.

use super::colour::{Rgb, of_value};
use super::{Roles, Shot};
use crate::axis::{Axis, Tick};
use crate::protocol::LatentScene;

/// Sizes in CSS pixels: radius of a point, radius of a star (to its tips), half the side of the
/// start.
const POINT: f32 = 5.5;
const STAR: f32 = 11.0;
const START: f32 = 6.0;
/// Thickness of the outline of a point, of the line between the stars, of a grid line.
const OUTLINE: f32 = 1.25;
const LINE: f32 = 2.0;
const GRID: f32 = 1.0;
/// Approximate number of grid intervals over the height.
const GRID_PARTS: f64 = 6.0;
/// Radius of a star's notches divided by the radius of its tips; must equal the number in
/// `shaders/latents.wgsl`.
pub const NOTCH: f32 = 0.45;
/// Number of tips of a star.
pub const TIPS: usize = 5;

/// The shape of a mark; the numbers must equal those in `shaders/latents.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A disc.
    Disc = 0,
    /// A star with one tip pointing up.
    StarUp = 1,
    /// A star with one tip pointing down. If one star covers the other, both can still be seen.
    StarDown = 2,
    /// A square; its radius is half a side.
    Square = 3,
    /// A line with round ends from one point to another; its radius is half its thickness.
    Segment = 4,
}

/// One mark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Its shape.
    pub shape: Shape,
    /// The centre (twice), or the two ends of a segment, in pixels from the upper left corner.
    pub ends: [[f32; 2]; 2],
    /// Distance from the centre to the outer edge, in pixels.
    pub radius: f32,
    /// Thickness of the border, inside the edge, in pixels.
    pub border: f32,
    /// Colour inside the border.
    pub fill: Rgb,
    /// Colour of the border.
    pub edge: Rgb,
}

impl Mark {
    /// Number of floats of a mark in the shader's vertex buffer.
    pub const FLOATS: usize = 13;

    /// The mark in the order in which the shader reads it: ends, radius, border, shape, fill, edge.
    #[must_use]
    pub fn floats(&self) -> [f32; Self::FLOATS] {
        let [[ax, ay], [bx, by]] = self.ends;
        let ([f0, f1, f2], [e0, e1, e2]) = (self.fill, self.edge);
        let shape = f32::from(self.shape as u8);
        [ax, ay, bx, by, self.radius, self.border, shape, f0, f1, f2, e0, e1, e2]
    }

    fn segment(from: [f32; 2], to: [f32; 2], thickness: f32, colour: Rgb) -> Self {
        let ends = [from, to];
        let radius = 0.5 * thickness;
        Self { shape: Shape::Segment, ends, radius, border: 0.0, fill: colour, edge: colour }
    }
}

/// The corners of a star: tip, notch, tip, ...
#[must_use]
pub fn star_corners(centre: [f32; 2], radius: f32, up: bool) -> [[f32; 2]; 2 * TIPS] {
    let sign = if up { -1.0 } else { 1.0 };
    std::array::from_fn(|index| {
        let length = if index % 2 == 0 { radius } else { radius * NOTCH };
        let angle = std::f32::consts::PI * index as f32 / TIPS as f32;
        [length.mul_add(angle.sin(), centre[0]), (sign * length).mul_add(angle.cos(), centre[1])]
    })
}

/// The map from latent units to pixels: the origin is in the centre, and both axes have the same
/// scale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// Width and height, in CSS pixels or pixels of the canvas.
    pub size: [f32; 2],
    /// Half the height in latent units.
    pub extent: f32,
}

impl Window {
    /// Whether the window can show anything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.extent > 0.0 && self.size.iter().all(|pixels| *pixels >= 1.0)
    }

    /// Width divided by height.
    #[must_use]
    pub fn aspect(&self) -> f32 {
        self.size[0] / self.size[1]
    }

    /// The pixel of a point in latent units.
    #[must_use]
    pub fn place(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let unit = 0.5 * self.size[1] / self.extent;
        [unit.mul_add(x, 0.5 * self.size[0]), (-unit).mul_add(y, 0.5 * self.size[1])]
    }

    /// Grid lines of an axis (0: x, 1: y) with their pixels and values.
    #[must_use]
    pub fn grid(&self, axis: usize) -> Vec<Tick> {
        let half = if axis == 0 { self.extent * self.aspect() } else { self.extent };
        let [width, height] = self.size.map(f64::from);
        let pixels = if axis == 0 { [0.0, width] } else { [height, 0.0] };
        let spacing = height / GRID_PARTS;
        Axis::between((-half).into(), half.into(), pixels, spacing).ticks()
    }

    /// The grid lines of an axis that have room for a number.
    #[must_use]
    pub fn numbers(&self, axis: usize) -> Vec<Tick> {
        let free = CORNER..f64::from(self.size[axis]) - CORNER;
        self.grid(axis).into_iter().filter(|tick| free.contains(&tick.at)).collect()
    }
}

/// Numbers nearer to a corner than this are left out, because they would meet those of the other
/// axis.
const CORNER: f64 = 24.0;

/// The window of a scene's canvas for this shot.
#[must_use]
pub fn window(scene: &LatentScene, shot: &Shot) -> Window {
    Window { size: scene.size.map(|pixels| pixels as f32), extent: shot.extent }
}

/// The marks of the picture; none if the canvas is not shown or the extent is unknown.
#[must_use]
pub fn marks(scene: &LatentScene, roles: Roles, shot: &Shot) -> Vec<Mark> {
    let window = window(scene, shot);
    if !window.is_open() {
        return Vec::new();
    }
    let pixels = |css: f32| css * scene.scale;
    let mut marks = grid(&window, scene);
    let at = |state: usize| shot.points.get(state).map(|point| window.place(*point));
    let [upper, lower] = roles.stars;
    if let (Some(from), Some(to)) = (at(upper), at(lower)) {
        marks.push(Mark::segment(from, to, pixels(LINE), scene.line));
    }
    let mut point = |state: usize, shape: Shape, radius: f32| {
        let (Some(centre), Some(value)) = (at(state), shot.values.get(state)) else { return };
        marks.push(Mark {
            shape,
            ends: [centre; 2],
            radius: pixels(radius),
            border: pixels(OUTLINE),
            fill: of_value(*value, shot.range, &scene.palette),
            edge: scene.outline,
        });
    };
    let special = [roles.start, upper, lower];
    for state in (0..shot.points.len()).filter(|state| !special.contains(state)) {
        point(state, Shape::Disc, POINT);
    }
    point(roles.start, Shape::Square, START);
    point(lower, Shape::StarDown, STAR);
    point(upper, Shape::StarUp, STAR);
    marks
}

fn grid(window: &Window, scene: &LatentScene) -> Vec<Mark> {
    let thickness = GRID * scene.scale;
    // Aligned with whole pixels: a thin line between two pixels would be drawn as two faint ones.
    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    let crisp = |tick: Tick| (tick.at as f32 - 0.5 * thickness).round() + 0.5 * thickness;
    let [width, height] = window.size;
    let upright = window.grid(0).into_iter().map(crisp).map(|x| [[x, 0.0], [x, height]]);
    let level = window.grid(1).into_iter().map(crisp).map(|y| [[0.0, y], [width, y]]);
    upright.chain(level).map(|[from, to]| Mark::segment(from, to, thickness, scene.grid)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::colour::viridis;
    use super::*;

    fn scene() -> LatentScene {
        LatentScene { size: [400, 200], scale: 2.0, palette: viridis(), ..LatentScene::default() }
    }

    fn shot() -> Shot {
        let points = vec![[0.0, 0.0], [1.0, 0.5], [-1.0, 0.5], [0.0, -0.5]];
        Shot { points, values: vec![0.0, 1.0, 0.5, 0.25], extent: 1.0, range: [0.0, 1.0] }
    }

    const ROLES: Roles = Roles { stars: [1, 2], start: 3 };

    #[test]
    fn a_window_puts_the_origin_in_the_middle_with_one_unit_on_both_axes() {
        let window = window(&scene(), &shot());
        assert_eq!(window.place([0.0, 0.0]), [200.0, 100.0]);
        assert_eq!(window.place([-2.0, 1.0]), [0.0, 0.0]);
        assert_eq!(window.place([1.0, -1.0]), [300.0, 200.0]);
        let zero = |axis: usize| {
            let grid = window.grid(axis);
            grid.iter().find(|tick| tick.label == "0").map(|tick| tick.at)
        };
        assert_eq!([zero(0), zero(1)], [Some(200.0), Some(100.0)]);
    }

    #[test]
    fn every_state_has_a_mark_of_its_shape() {
        let marks = marks(&scene(), ROLES, &shot());
        let of = |shape| {
            let found = marks.iter().filter(|mark| mark.shape == shape);
            found.map(|mark| mark.ends[0]).collect::<Vec<_>>()
        };
        assert_eq!(of(Shape::Disc), [[200.0, 100.0]]);
        assert_eq!(of(Shape::StarUp), [[300.0, 50.0]]);
        assert_eq!(of(Shape::StarDown), [[100.0, 50.0]]);
        assert_eq!(of(Shape::Square), [[200.0, 150.0]]);
        let line = marks.iter().rfind(|mark| mark.shape == Shape::Segment).expect("joined");
        assert_eq!(line.ends, [[300.0, 50.0], [100.0, 50.0]]);
        // The line is in front of the grid and behind the points.
        let first_point = marks.iter().position(|mark| mark.shape == Shape::Disc);
        assert!(marks.iter().rposition(|mark| mark.shape == Shape::Segment) < first_point);
    }

    #[test]
    fn nothing_is_drawn_for_nobody_and_nothing_that_is_not_there() {
        let hidden = LatentScene { size: [0, 0], ..scene() };
        assert_eq!(marks(&hidden, ROLES, &shot()), []);
        assert_eq!(marks(&scene(), ROLES, &Shot::default()), []);
        // Roles of a larger maze refer to states that do not exist here.
        let larger = Roles { stars: [8, 9], start: 7 };
        let points = marks(&scene(), larger, &shot());
        assert!(points.iter().all(|mark| matches!(mark.shape, Shape::Disc | Shape::Segment)));
    }

    #[test]
    fn a_star_has_its_first_tip_where_it_points() {
        let up = star_corners([10.0, 20.0], 5.0, true);
        assert!((up[0][0] - 10.0).abs() < 1e-5 && (up[0][1] - 15.0).abs() < 1e-5);
        let down = star_corners([10.0, 20.0], 5.0, false);
        assert!((down[0][1] - 25.0).abs() < 1e-5);
        for (index, [x, y]) in up.into_iter().enumerate() {
            let length = if index % 2 == 0 { 5.0 } else { 5.0 * NOTCH };
            assert!(((x - 10.0).hypot(y - 20.0) - length).abs() < 1e-4);
        }
    }
}
