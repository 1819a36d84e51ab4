//! Where a label beside the data goes: where it covers least.

use super::geometry::{Rect, Xy};

/// What labels avoid.
#[derive(Debug, Default)]
pub(super) struct Placement {
    /// Points of curves, marks and error bars.
    data: Vec<Xy>,
    /// Labels placed before.
    taken: Vec<Rect>,
}

impl Placement {
    /// Another curve to avoid.
    pub fn avoid_curve(&mut self, curve: &[Xy]) {
        // No gap that a label could fall into.
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

    /// Another mark to avoid.
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

    /// The best of the places, of which the first is preferred; it is taken from now on.
    pub fn choose(&mut self, places: &[Rect], inside: &Rect) -> Option<Rect> {
        // Outside is cut off and over another label unreadable; over data is only ugly.
        let cost = |place: &Rect| {
            let over = self.taken.iter().filter(|rect| rect.overlaps(place)).count();
            // Sideways only: a label is close to the line it names.
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
