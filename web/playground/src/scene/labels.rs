//! Placement of the names of the two stars and of the start, so that they can be read.
//!
//! The side of a mark on which its name stands is chosen for the final positions of the points, and
//! kept while the points move there, because a name that changes sides during the motion cannot be
//! read.

use super::Roles;
use super::picture::Window;

/// Approximate width of a letter, and height of a line, in CSS pixels.
const LETTER: f32 = 7.0;
const LINE: f32 = 16.0;
/// Distance from the centre of a mark to the centre of a name above or below it: the name stands
/// outside the ring of the selection.
const AWAY: f32 = 25.0;
/// Distance from the centre of a mark to the near end of a name beside it.
const BESIDE: f32 = 19.0;
/// Half the side of the square that a mark covers.
const MARK: f32 = 7.0;
/// Number of pieces of the line between the stars.
const PIECES: usize = 8;
/// One hidden name counts as this number of hidden marks.
const NAME: usize = 3;

const NAMES: [&str; 3] = ["upper star", "lower star", "start"];

/// Direction from a mark to its name: signs of x and y.
pub type Side = [f32; 2];

const ABOVE: Side = [0.0, -1.0];
const BELOW: Side = [0.0, 1.0];
/// All sides, in order of preference.
const SIDES: [Side; 8] =
    [ABOVE, BELOW, [1.0, 0.0], [-1.0, 0.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]];

/// A text and its position.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The text.
    pub text: &'static str,
    /// Centre of the text, in pixels of the window.
    pub at: [f32; 2],
}

impl Label {
    /// Places the text on this side of `mark`, or as near to that as it fits into the window.
    fn new(text: &'static str, [x, y]: [f32; 2], side: Side, window: &Window) -> Self {
        let half = half(text);
        let dx = side[0] * (BESIDE + half[0]);
        // On a diagonal the horizontal distance already separates name and mark.
        let dy = side[1] * if side[0] == 0.0 { AWAY } else { 0.6 * AWAY };
        let inside = |place: f32, axis: usize| {
            let low = half[axis] + 2.0;
            place.clamp(low, (window.size[axis] - low).max(low))
        };
        Self { text, at: [inside(x + dx, 0), inside(y + dy, 1)] }
    }

    fn meets(&self, place: [f32; 2], half_size: [f32; 2]) -> bool {
        let half = half(self.text);
        (0..2).all(|axis| (self.at[axis] - place[axis]).abs() < half[axis] + half_size[axis])
    }
}

fn half(text: &str) -> [f32; 2] {
    [0.5 * LETTER * text.len() as f32, 0.5 * LINE]
}

/// Chooses the sides for the names of upper star, lower star and start. The names should hide few
/// marks, and above all not each other.
#[must_use]
pub fn sides(window: &Window, roles: Roles, points: &[[f32; 2]]) -> [Side; 3] {
    let mut sides = [ABOVE, BELOW, ABOVE];
    let Some(marks) = marks(window, roles, points) else { return sides };
    if marks[0][1] > marks[1][1] {
        sides.swap(0, 1);
    }
    // Names can hide the points, and the line between the stars, which is tested at some places.
    let piece = |index: usize| {
        let share = index as f32 / PIECES as f32;
        let [from, to, _] = marks;
        [0, 1].map(|axis| share.mul_add(to[axis] - from[axis], from[axis]))
    };
    let places: Vec<[f32; 2]> =
        points.iter().map(|point| window.place(*point)).chain((1..PIECES).map(piece)).collect();
    let mut labels: Vec<Label> = Vec::new();
    for ((text, mark), side) in NAMES.into_iter().zip(marks).zip(&mut sides) {
        let hidden = |side: &Side| {
            let label = Label::new(text, mark, *side, window);
            let marks = places.iter().filter(|place| label.meets(**place, [MARK; 2])).count();
            let names =
                labels.iter().filter(|other| label.meets(other.at, half(other.text))).count();
            marks + NAME * names
        };
        // `min_by_key` takes the first minimum, so the default side wins a tie.
        let tries = std::iter::once(*side).chain(SIDES);
        if let Some(best) = tries.min_by_key(hidden) {
            *side = best;
        }
        labels.push(Label::new(text, mark, *side, window));
    }
    sides
}

/// The names on these sides of their marks; none if a mark does not exist.
#[must_use]
pub fn labels(
    window: &Window,
    roles: Roles,
    points: &[[f32; 2]],
    sides: [Side; 3],
) -> Option<[Label; 3]> {
    let marks = marks(window, roles, points)?;
    Some(std::array::from_fn(|i| Label::new(NAMES[i], marks[i], sides[i], window)))
}

fn marks(window: &Window, roles: Roles, points: &[[f32; 2]]) -> Option<[[f32; 2]; 3]> {
    let [upper, lower] = roles.stars;
    let place = |state: usize| points.get(state).map(|point| window.place(*point));
    Some([place(upper)?, place(lower)?, place(roles.start)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { size: [300.0, 200.0], extent: 1.0 };
    const ROLES: Roles = Roles { stars: [0, 1], start: 2 };

    fn placed(points: &[[f32; 2]]) -> [Label; 3] {
        let sides = sides(&WINDOW, ROLES, points);
        let labels = labels(&WINDOW, ROLES, points, sides).expect("all three are there");
        for (index, label) in labels.iter().enumerate() {
            for (axis, half) in half(label.text).into_iter().enumerate() {
                assert!(label.at[axis] >= half, "{label:?} leaves the window");
                assert!(label.at[axis] <= WINDOW.size[axis] - half, "{label:?}");
            }
            for other in &labels[..index] {
                assert!(!label.meets(other.at, half(other.text)), "{labels:?}");
            }
        }
        labels
    }

    #[test]
    fn merged_stars_keep_both_names_and_the_start_its_own() {
        let labels = placed(&[[0.0, 0.0], [0.0, 0.0], [0.02, 0.1]]);
        assert!(labels[0].at[1] < 100.0 && labels[1].at[1] > 100.0);
        placed(&[[0.0, 0.0]; 3]);
    }

    #[test]
    fn names_stay_inside_and_apart() {
        placed(&[[1.5, 1.0], [-1.5, -1.0], [1.4, 0.9]]);
        placed(&[[0.1, -0.5], [0.1, 0.5], [0.1, 0.45]]);
        placed(&[[-1.5, 0.0], [-1.45, 0.05], [-1.48, 0.0]]);
    }

    #[test]
    fn a_name_makes_room_for_points_in_its_way() {
        let crowd = [[0.0, 0.0], [1.0, -0.8], [-1.0, -0.8], [-0.1, 0.21], [0.1, 0.21]];
        let labels = placed(&crowd);
        for point in &crowd[3..] {
            assert!(!labels[0].meets(WINDOW.place(*point), [MARK; 2]), "{labels:?}");
        }
    }

    #[test]
    fn there_are_none_without_points() {
        assert_eq!(labels(&WINDOW, ROLES, &[], [ABOVE; 3]), None);
    }
}
