//! Points and rectangles in pixels, with `y` downwards, and the parts of lines and areas inside a
//! rectangle.
//!
//! The SVG has no clip paths: lines and areas are cut at the axes here, before they are drawn.

/// A position in pixels.
pub(super) type Xy = (f64, f64);

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub fn centre(&self) -> Xy {
        (f64::midpoint(self.left, self.right), f64::midpoint(self.top, self.bottom))
    }

    pub fn contains(&self, (x, y): Xy) -> bool {
        x >= self.left && x <= self.right && y >= self.top && y <= self.bottom
    }

    /// Whether `other` is wholly inside.
    pub fn encloses(&self, other: &Self) -> bool {
        self.contains((other.left, other.top)) && self.contains((other.right, other.bottom))
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    pub fn grown(&self, by: f64) -> Self {
        Self {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    /// The part of the line from `a` to `b` that is inside.
    pub fn cut_line(&self, a: Xy, b: Xy) -> Option<(Xy, Xy)> {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        // For each side: the speed towards the outside, and the distance to it.
        let sides = [
            (-dx, a.0 - self.left),
            (dx, self.right - a.0),
            (-dy, a.1 - self.top),
            (dy, self.bottom - a.1),
        ];
        for (speed, distance) in sides {
            if speed == 0.0 {
                if distance < 0.0 {
                    return None;
                }
            } else if speed < 0.0 {
                enter = enter.max(distance / speed);
            } else {
                leave = leave.min(distance / speed);
            }
        }
        let at = |t: f64| (a.0 + t * dx, a.1 + t * dy);
        (enter <= leave).then(|| (at(enter), at(leave)))
    }

    /// The parts of a curve that are inside; a point that is not finite breaks it.
    pub fn cut_curve(&self, curve: &[Xy]) -> Vec<Vec<Xy>> {
        let mut parts: Vec<Vec<Xy>> = Vec::new();
        for pair in curve.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            if ![a.0, a.1, b.0, b.1].iter().all(|value| value.is_finite()) {
                continue;
            }
            let Some((from, to)) = self.cut_line(a, b) else { continue };
            match parts.last_mut() {
                Some(part) if part.last() == Some(&from) => part.push(to),
                _ => parts.push(vec![from, to]),
            }
        }
        parts
    }

    /// The part of an area that is inside.
    pub fn cut_area(&self, area: &[Xy]) -> Vec<Xy> {
        let left = cut_side(area, |p| p.0 - self.left);
        let right = cut_side(&left, |p| self.right - p.0);
        let top = cut_side(&right, |p| p.1 - self.top);
        cut_side(&top, |p| self.bottom - p.1)
    }
}

/// The part of an area where `inside` is not negative.
fn cut_side(area: &[Xy], inside: impl Fn(Xy) -> f64) -> Vec<Xy> {
    let mut kept = Vec::with_capacity(area.len());
    for (index, &b) in area.iter().enumerate() {
        let a = area[(index + area.len() - 1) % area.len()];
        let (at_a, at_b) = (inside(a), inside(b));
        if (at_a < 0.0) != (at_b < 0.0) {
            let t = at_a / (at_a - at_b);
            kept.push((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
        }
        if at_b >= 0.0 {
            kept.push(b);
        }
    }
    kept
}

/// The dashes of a curve.
pub(super) fn dashes(curve: &[Xy], on: f64, off: f64) -> Vec<Vec<Xy>> {
    let mut parts = Vec::new();
    let Some(&first) = curve.first() else { return parts };
    let mut part = vec![first];
    let (mut drawn, mut left) = (true, on);
    for pair in curve.windows(2) {
        let (mut a, b) = (pair[0], pair[1]);
        let mut length = (b.0 - a.0).hypot(b.1 - a.1);
        while length > left {
            let t = left / length;
            a = (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1));
            length -= left;
            part.push(a);
            if drawn {
                parts.push(std::mem::take(&mut part));
            }
            part = vec![a];
            drawn = !drawn;
            left = if drawn { on } else { off };
        }
        left -= length;
        part.push(b);
    }
    if drawn && part.len() > 1 {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Rect = Rect { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };

    #[test]
    fn lines_end_at_the_border() {
        assert_eq!(BOX.cut_line((-5.0, 5.0), (15.0, 5.0)), Some(((0.0, 5.0), (10.0, 5.0))));
        assert_eq!(BOX.cut_line((-5.0, 5.0), (-1.0, 5.0)), None);
        assert_eq!(BOX.cut_line((1.0, 20.0), (9.0, 20.0)), None);
    }

    #[test]
    fn a_missing_value_leaves_a_gap() {
        let nan = f64::NAN;
        let curve = [(0.0, 1.0), (1.0, 1.0), (2.0, nan), (3.0, 1.0), (4.0, 1.0)];
        let parts = BOX.cut_curve(&curve);
        assert_eq!(parts, [vec![(0.0, 1.0), (1.0, 1.0)], vec![(3.0, 1.0), (4.0, 1.0)]]);
    }

    #[test]
    fn an_area_beyond_the_border_is_cut_to_it() {
        let area = BOX.cut_area(&[(-5.0, -5.0), (15.0, -5.0), (15.0, 15.0), (-5.0, 15.0)]);
        assert!(area.iter().all(|&point| BOX.contains(point)));
        assert!(area.contains(&(0.0, 0.0)) && area.contains(&(10.0, 10.0)));
        assert!(BOX.cut_area(&[(20.0, 0.0), (30.0, 0.0), (30.0, 5.0)]).is_empty());
    }

    #[test]
    fn dashes_go_round_corners() {
        let parts = dashes(&[(0.0, 0.0), (3.0, 0.0), (3.0, 7.0)], 4.0, 2.0);
        assert_eq!(parts, [vec![(0.0, 0.0), (3.0, 0.0), (3.0, 1.0)], vec![(3.0, 3.0), (3.0, 7.0)]]);
    }
}
