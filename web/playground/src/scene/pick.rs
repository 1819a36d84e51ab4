//! Selection of a point with a pointer or with keys.

/// The index of the place nearest to `pointer`, if it is within `reach`.
#[must_use]
pub fn at(places: &[[f32; 2]], pointer: [f32; 2], reach: f32) -> Option<usize> {
    let distance = |place: &[f32; 2]| (place[0] - pointer[0]).hypot(place[1] - pointer[1]);
    let near = places.iter().enumerate().map(|(index, place)| (index, distance(place)));
    near.filter(|(_, distance)| *distance <= reach)
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(index, _)| index)
}

/// The next place from `from` in a direction (a unit vector along an axis): the nearest place whose
/// distance along the direction is at least its distance across it. So every place belongs to one
/// of the four directions.
#[must_use]
pub fn towards(places: &[[f32; 2]], from: usize, direction: [f32; 2]) -> Option<usize> {
    let [x, y] = *places.get(from)?;
    let effort = |place: &[f32; 2]| {
        let [dx, dy] = [place[0] - x, place[1] - y];
        let ahead = dx.mul_add(direction[0], dy * direction[1]);
        let aside = dx.mul_add(direction[1], dy * direction[0]).abs();
        // A place less than half a pixel ahead counts as the same position.
        (ahead > 0.5 && ahead >= aside).then(|| ahead.hypot(aside))
    };
    let ahead =
        places.iter().enumerate().filter_map(|(index, place)| Some((index, effort(place)?)));
    ahead.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
}

/// The place that a key selects from the place `from` (or from the first); none for other keys.
/// Page Up and Page Down go through all places in order, so that places on the same spot can be
/// reached.
#[must_use]
pub fn by_key(places: &[[f32; 2]], from: Option<usize>, key: &str) -> Option<usize> {
    let last = places.len().checked_sub(1)?;
    let from = from.filter(|from| *from <= last).unwrap_or_default();
    let step = |direction| Some(towards(places, from, direction).unwrap_or(from));
    match key {
        "ArrowLeft" => step([-1.0, 0.0]),
        "ArrowRight" => step([1.0, 0.0]),
        "ArrowUp" => step([0.0, -1.0]),
        "ArrowDown" => step([0.0, 1.0]),
        "PageUp" => Some(from.checked_sub(1).unwrap_or(last)),
        "PageDown" => Some(if from == last { 0 } else { from + 1 }),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [[f32; 2]; 5] =
        [[100.0, 100.0], [140.0, 105.0], [120.0, 20.0], [60.0, 98.0], [100.0, 100.0]];

    #[test]
    fn a_pointer_means_the_nearest_within_reach() {
        assert_eq!(at(&PLACES, [135.0, 100.0], 16.0), Some(1));
        assert_eq!(at(&PLACES, [104.0, 100.0], 16.0), Some(0), "the first of two on one spot");
        assert_eq!(at(&PLACES, [10.0, 10.0], 16.0), None);
        assert_eq!(at(&[], [10.0, 10.0], 16.0), None);
    }

    #[test]
    fn arrows_go_where_they_point() {
        let key = |from, key| by_key(&PLACES, Some(from), key);
        assert_eq!(key(0, "ArrowRight"), Some(1));
        assert_eq!(key(0, "ArrowUp"), Some(2));
        assert_eq!(key(0, "ArrowLeft"), Some(3));
        assert_eq!(key(3, "ArrowLeft"), Some(3), "nothing further left");
        assert_eq!(key(0, "Enter"), None);
    }

    #[test]
    fn every_place_can_be_reached() {
        let mut seen = vec![0];
        while let Some(next) = by_key(&PLACES, seen.last().copied(), "PageDown") {
            if next == 0 {
                break;
            }
            seen.push(next);
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        assert_eq!(by_key(&PLACES, Some(0), "PageUp"), Some(4));
        // An index from a larger maze is ignored.
        assert_eq!(by_key(&PLACES, Some(70), "PageDown"), by_key(&PLACES, None, "PageDown"));
        assert_eq!(by_key(&[], None, "Home"), None);
    }
}
