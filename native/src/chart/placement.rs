//! Chooses the position of a label beside the data, so that it covers as little as possible.

use super::geometry::{Rect, Xy};

/// What labels must avoid.
#[derive(Debug, Default)]
pub(super) struct Placement {
    /// Points of curves, marks and error bars.
    data: Vec<Xy>,
    /// Labels placed before.
    taken: Vec<Rect>,
}

impl Placement {
    /// Adds a curve to avoid.
    pub fn avoid_curve(&mut self, curve: &[Xy]) {
        // The points are so close that no label fits between them.
        const STEP: f64 = 4.0;
        for pair in curve.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let steps = ((b.0 - a.0).hypot(b.1 - a.1) / STEP).ceil().min(500.0) as usize;
            self.data.extend((0..=steps).map(|step| {
                let t = step as f64 / steps.max(1) as f64;
                (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
            }));
        }
    }

    /// Adds a mark to avoid.
    pub fn avoid_point(&mut self, point: Xy, radius: f64) {
        let (x, y) = point;
        self.data.extend([
            point,
            (x - radius, y),
            (x + radius, y),
            (x, y - radius),
            (x, y + radius),
        ]);
    }

    /// Returns the best of the places and reserves it. Of equally good places the first is taken.
    pub fn choose(&mut self, places: &[Rect], inside: &Rect) -> Option<Rect> {
        // Outside, a label is cut off; over another label it is unreadable; over data it is only
        // ugly.
        let cost = |place: &Rect| {
            let over = self.taken.iter().filter(|rect| rect.overlaps(place)).count();
            // The margin is only at the sides: a label is meant to be close to the line it names.
            let near = Rect { left: place.left - 3.0, right: place.right + 3.0, ..*place };
            let data = self.data.iter().filter(|&&point| near.contains(point)).count();
            usize::from(!inside.encloses(place)) * 100_000 + over * 1_000 + data.min(900)
        };
        let best = places.iter().copied().min_by_key(cost)?;
        self.taken.push(best);
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_avoids_data_and_other_labels() {
        let place = |left: f64| Rect { left, top: 0.0, right: left + 10.0, bottom: 10.0 };
        let inside = Rect { left: 0.0, top: 0.0, right: 100.0, bottom: 100.0 };
        let mut placement = Placement::default();
        placement.avoid_curve(&[(0.0, 5.0), (12.0, 5.0)]);
        let places = [place(0.0), place(20.0), place(40.0), place(95.0)];
        assert_eq!(placement.choose(&places, &inside), Some(places[1]), "the first is over data");
        assert_eq!(placement.choose(&places, &inside), Some(places[2]), "the second is taken");
        assert_eq!(placement.choose(&[], &inside), None);
    }
}
