//! Distributions over three actions as points in a triangle.
//!
//! Users can drag such a point. Every input with pointer, keys or numbers must give a distribution
//! (no negative entries, sum 1), because `deepspi_theory` refuses anything else. This module
//! contains only geometry; `deepspi_theory` computes what a policy does.

/// Number of actions. Action `i` is corner `i` of the triangle, counted counter-clockwise from the
/// bottom left.
pub const ACTIONS: usize = 3;

/// Probabilities of the three actions.
pub type Distribution = [f64; ACTIONS];

/// A point in pixels of the drawing; y points downwards.
pub type Point = [f64; 2];

/// Height of a triangle of side 1.
const HEIGHT: f64 = 0.866_025_403_784_438_6;

/// The part of the triangle that a drawing shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Position of the first corner.
    origin: Point,
    /// Pixels of the triangle's side.
    side: f64,
}

impl View {
    /// Shows the whole triangle in a drawing of this size, with a margin in pixels.
    #[must_use]
    pub fn whole(size: Point, margin: f64) -> Self {
        let side = (size[0] - 2.0 * margin).min((size[1] - 2.0 * margin) / HEIGHT);
        let origin = [(size[0] - side) / 2.0, f64::midpoint(size[1], side * HEIGHT)];
        Self { origin, side }
    }

    /// Shows these points as large as possible in a drawing of this size with a margin; the scale
    /// is between that of [`View::whole`] and ten thousand times that.
    #[must_use]
    pub fn close(size: Point, margin: f64, points: &[Distribution]) -> Self {
        let whole = Self::whole(size, margin);
        let unit = Self { origin: [0.0, 0.0], side: 1.0 };
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for point in points {
            let at = unit.point(*point);
            for axis in 0..2 {
                low[axis] = low[axis].min(at[axis]);
                high[axis] = high[axis].max(at[axis]);
            }
        }
        if points.is_empty() {
            return whole;
        }
        let room = |axis: usize| (size[axis] - 2.0 * margin) / (high[axis] - low[axis]).max(1e-12);
        let side = room(0).min(room(1)).min(whole.side * 1e4);
        if side <= whole.side {
            return whole;
        }
        let middle = |axis: usize| f64::midpoint(low[axis], high[axis]) * side;
        Self { origin: [size[0] / 2.0 - middle(0), size[1] / 2.0 - middle(1)], side }
    }

    /// Pixels of the triangle's side.
    #[must_use]
    pub const fn side(&self) -> f64 {
        self.side
    }

    /// The pixel of a distribution.
    #[must_use]
    pub fn point(&self, distribution: Distribution) -> Point {
        let [_, second, third] = distribution;
        [
            self.origin[0] + self.side * (second + third / 2.0),
            self.origin[1] - self.side * HEIGHT * third,
        ]
    }

    /// The distribution nearest to a pixel of the drawing.
    #[must_use]
    pub fn distribution(&self, point: Point) -> Distribution {
        let third = (self.origin[1] - point[1]) / (self.side * HEIGHT);
        let second = (point[0] - self.origin[0]) / self.side - third / 2.0;
        nearest([1.0 - second - third, second, third])
    }

    /// Number of decimal places that one pixel can resolve.
    #[must_use]
    pub fn digits(&self) -> u32 {
        [2, 3, 4, 5, 6, 7].into_iter().find(|n| 10_f64.powf(*n as f64) >= self.side).unwrap_or(8)
    }

    /// Distance between grid lines as a probability: 1, 2 or 5 times a power of ten, so that lines
    /// are at least 35 pixels apart.
    #[must_use]
    pub fn grid(&self) -> f64 {
        let steps = (1..=7).flat_map(|n| [1.0, 2.0, 5.0].map(|m| m / 10_f64.powi(8 - n)));
        steps.into_iter().find(|step| step * self.side * HEIGHT >= 35.0).unwrap_or(0.5)
    }
}

/// The distribution nearest to three numbers whose sum is 1.
#[must_use]
pub fn nearest(mut numbers: [f64; ACTIONS]) -> Distribution {
    // Negative entries become 0, and the difference is taken from the other entries in equal parts.
    // This may make another entry negative, so there are up to three rounds.
    for _ in 0..ACTIONS {
        let lack: f64 = numbers.iter().filter(|x| **x < 0.0).sum();
        if lack == 0.0 {
            break;
        }
        let positive = numbers.iter().filter(|x| **x > 0.0).count() as f64;
        for x in &mut numbers {
            *x = if *x > 0.0 { *x + lack / positive } else { 0.0 };
        }
    }
    numbers
}

/// The distribution rounded to this number of decimal places; the largest entry absorbs the
/// rounding error.
#[must_use]
pub fn rounded(distribution: Distribution, digits: u32) -> Distribution {
    let unit = 10_f64.powf(f64::from(digits));
    let mut rounded = distribution.map(|x| (x * unit).round() / unit);
    let largest = (1..ACTIONS).fold(0, |best, i| if rounded[i] > rounded[best] { i } else { best });
    let others: f64 = (0..ACTIONS).filter(|i| *i != largest).map(|i| rounded[i]).sum();
    rounded[largest] = ((1.0 - others) * unit).round() / unit;
    rounded
}

/// The distribution with one probability changed. The others keep their proportion; if they were
/// all 0, they share the rest equally.
#[must_use]
pub fn with_probability(old: Distribution, action: usize, probability: f64) -> Distribution {
    let left = 1.0 - probability.clamp(0.0, 1.0);
    let others = (0..ACTIONS).filter(|i| *i != action).map(|i| old[i]).sum::<f64>();
    std::array::from_fn(|i| match i == action {
        true => 1.0 - left,
        false if others > 0.0 => left * old[i] / others,
        false => left / (ACTIONS - 1) as f64,
    })
}

/// The ends of the line of distributions `p` with `sum_a values[a] p[a] = level`, on the edges of
/// the triangle; none if the line misses the triangle or all values are equal.
#[must_use]
pub fn level_line(values: [f64; ACTIONS], level: f64) -> Option<[Distribution; 2]> {
    let mut ends: Vec<Distribution> = Vec::new();
    for from in 0..ACTIONS {
        let to = (from + 1) % ACTIONS;
        let share = (level - values[from]) / (values[to] - values[from]);
        if (0.0..=1.0).contains(&share) {
            let mut end = [0.0; ACTIONS];
            (end[from], end[to]) = (1.0 - share, share);
            ends.push(end);
        }
    }
    let first = *ends.first()?;
    // A line through a corner gives the same point twice.
    let apart = |end: &Distribution| (0..ACTIONS).any(|i| (end[i] - first[i]).abs() > 1e-9);
    ends.into_iter().find(apart).map(|second| [first, second])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Point = [440.0, 400.0];

    fn near(left: Distribution, right: Distribution) -> bool {
        left.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn a_point_comes_back_and_outside_is_the_nearest_edge() {
        let close = View::close(SIZE, 30.0, &[[0.3, 0.3, 0.4], [0.31, 0.3, 0.39]]);
        for view in [View::whole(SIZE, 30.0), close] {
            let here = [0.3, 0.3, 0.4];
            assert!(near(view.distribution(view.point(here)), here));
        }
        let view = View::whole(SIZE, 30.0);
        assert!(near(view.distribution([-1e4, 1e4]), [1.0, 0.0, 0.0]));
        let [x, y] = view.point([0.5, 0.5, 0.0]);
        assert!(near(view.distribution([x, y + 50.0]), [0.5, 0.5, 0.0]), "straight below an edge");
    }

    #[test]
    fn a_close_view_shows_all_its_points_and_never_less_than_the_triangle() {
        let points = [[0.30, 0.30, 0.40], [0.33, 0.31, 0.36], [0.32, 0.33, 0.35]];
        let view = View::close(SIZE, 30.0, &points);
        assert!(view.side() > 5.0 * View::whole(SIZE, 30.0).side());
        for [x, y] in points.map(|point| view.point(point)) {
            assert!((29.9..410.1).contains(&x) && (29.9..370.1).contains(&y), "{x} {y}");
        }
        let corners = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        assert_eq!(View::close(SIZE, 30.0, &corners), View::whole(SIZE, 30.0));
        assert_eq!(View::close(SIZE, 30.0, &[]), View::whole(SIZE, 30.0));
    }

    #[test]
    fn digits_and_grid_follow_the_size() {
        let whole = View::whole(SIZE, 30.0);
        let close = View { side: whole.side * 100.0, ..whole };
        assert_eq!((whole.digits(), close.digits()), (3, 5));
        assert!((whole.grid() - 0.2).abs() < 1e-12 && (close.grid() - 0.002).abs() < 1e-12);
    }

    #[test]
    fn whatever_is_entered_is_a_distribution() {
        for numbers in [[1.5, -0.25, -0.25], [-3.0, 2.0, 2.0], [0.2, 0.3, 0.5], [-5.0, -5.0, 11.0]]
        {
            let found = nearest(numbers);
            let digits = rounded(found, 3);
            for distribution in [found, digits] {
                assert!(distribution.iter().all(|x| *x >= 0.0), "{distribution:?}");
                assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
        }
        assert_eq!(rounded([1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0], 3), [0.334, 0.333, 0.333]);
    }

    #[test]
    fn one_probability_can_be_set() {
        assert!(near(with_probability([0.2, 0.2, 0.6], 2, 0.2), [0.4, 0.4, 0.2]));
        assert!(near(with_probability([0.0, 0.0, 1.0], 2, 0.5), [0.25, 0.25, 0.5]));
        assert!(near(with_probability([0.2, 0.3, 0.5], 0, 7.0), [1.0, 0.0, 0.0]));
    }

    #[test]
    fn a_level_line_runs_between_edges() {
        let [first, second] = level_line([0.0, 1.0, 2.0], 0.5).expect("crosses");
        assert!(near(first, [0.5, 0.5, 0.0]) && near(second, [0.75, 0.0, 0.25]));
        let [_, through] = level_line([0.0, 1.0, 2.0], 1.0).expect("crosses");
        assert!(near(through, [0.5, 0.0, 0.5]), "from a corner to the other edge");
        assert_eq!(level_line([1.0; 3], 1.0), None);
        assert_eq!(level_line([0.0, 1.0, 2.0], 3.0), None);
    }
}
