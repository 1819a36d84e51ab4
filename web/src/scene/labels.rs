//! Where the names of the critical cells and of the start stand, so that they can be read.

use super::Roles;
use super::picture::Window;

/// Letters are about this wide and a line this high, in CSS pixels.
const LETTER: f32 = 7.0;
const LINE: f32 = 16.0;
/// From the middle of a mark to the middle of its label.
const AWAY: f32 = 22.0;

/// A text with the middle of its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// What it says.
    pub text: &'static str,
    /// Middle of the text, in the window's pixels.
    pub at: [f32; 2],
}

impl Label {
    fn half(text: &str) -> [f32; 2] {
        [0.5 * LETTER * text.len() as f32, 0.5 * LINE]
    }

    /// The text as near to `at` as the window allows.
    fn new(text: &'static str, at: [f32; 2], window: &Window) -> Self {
        let half = Self::half(text);
        let clamped = |axis: usize| {
            let low = half[axis] + 2.0;
            at[axis].clamp(low, (window.size[axis] - low).max(low))
        };
        Self { text, at: [clamped(0), clamped(1)] }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (Self::half(self.text), Self::half(other.text));
        (0..2).all(|axis| (self.at[axis] - other.at[axis]).abs() < a[axis] + b[axis])
    }

    fn covers(&self, point: [f32; 2]) -> bool {
        let half = Self::half(self.text);
        (0..2).all(|axis| (self.at[axis] - point[axis]).abs() < half[axis] + 0.5 * LINE)
    }
}

/// Labels of the two stars and of the start. Stars that lie on each other have theirs on opposite
/// sides; that of the start goes where it hides neither of them.
#[must_use]
pub fn labels(window: &Window, roles: Roles, points: &[[f32; 2]]) -> Vec<Label> {
    let place = |state: usize| points.get(state).map(|point| window.place(*point));
    let [upper, lower] = roles.stars.map(place);
    let (Some(upper), Some(lower), Some(start)) = (upper, lower, place(roles.start)) else {
        return Vec::new();
    };
    let up = |[x, y]: [f32; 2]| [x, y - AWAY];
    let down = |[x, y]: [f32; 2]| [x, y + AWAY];
    let (at_upper, at_lower) =
        if upper[1] <= lower[1] { (up(upper), down(lower)) } else { (down(upper), up(lower)) };
    let stars =
        [Label::new("upper star", at_upper, window), Label::new("lower star", at_lower, window)];
    let aside = AWAY + 0.5 * LETTER * "start".len() as f32 - 6.0;
    let [x, y] = start;
    let tries = [up(start), down(start), [x + aside, y], [x - aside, y]]
        .map(|at| Label::new("start", at, window));
    let is_free = |label: &&Label| {
        !stars.iter().any(|star| star.overlaps(label))
            && ![upper, lower, start].iter().any(|point| label.covers(*point))
    };
    let start = tries.iter().find(is_free).unwrap_or(&tries[0]).clone();
    stars.into_iter().chain([start]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { size: [300.0, 200.0], extent: 1.0 };
    const ROLES: Roles = Roles { stars: [0, 1], start: 2 };

    fn placed(points: [[f32; 2]; 3]) -> Vec<Label> {
        let labels = labels(&WINDOW, ROLES, &points);
        for (index, label) in labels.iter().enumerate() {
            let half = Label::half(label.text);
            for axis in 0..2 {
                assert!(label.at[axis] >= half[axis], "{label:?} leaves the window");
                assert!(label.at[axis] <= WINDOW.size[axis] - half[axis], "{label:?}");
            }
            assert!(labels[..index].iter().all(|other| !other.overlaps(label)), "{labels:?}");
        }
        labels
    }

    #[test]
    fn merged_stars_keep_both_names() {
        let labels = placed([[0.0, 0.0], [0.0, 0.0], [0.02, 0.2]]);
        assert!(labels[0].at[1] < 100.0 && labels[1].at[1] > 100.0);
    }

    #[test]
    fn names_stay_inside_and_apart() {
        placed([[1.5, 1.0], [-1.5, -1.0], [1.4, 0.9]]);
        placed([[0.1, -0.5], [0.1, 0.5], [0.1, 0.45]]);
        placed([[-1.5, 0.0], [-1.45, 0.05], [-1.48, 0.0]]);
    }

    #[test]
    fn there_are_none_without_points() {
        assert_eq!(labels(&WINDOW, ROLES, &[]), []);
    }
}
