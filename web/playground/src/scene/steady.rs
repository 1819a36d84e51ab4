//! Ranges that do not change with every new picture.
//!
//! A range that always fits the data would move all points whenever one of them moves. So a range
//! stays the same while the data lie inside it and fill enough of it. It grows at once when a point
//! would lie outside, and shrinks only after the data have been much smaller for [`PATIENCE`]
//! pictures in a row. Its ends are round numbers, so that a small growth of the data changes
//! nothing.

/// Number of pictures in a row for which a range must be much too large before it shrinks.
pub const PATIENCE: u32 = 8;
/// If the data fill less than this share of a range, the range is much too large.
const FILL: f32 = 0.6;
/// Factor that leaves room around the outermost point for marks and labels.
const PADDING: f32 = 1.15;
/// Smallest and largest extent, for latents that have collapsed to a point or diverged.
const EXTENTS: [f32; 2] = [1e-6, 1e6];

/// A range and the number of pictures for which it was much too large.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Steady {
    kept: Option<[f32; 2]>,
    calm: u32,
}

impl Steady {
    /// The range for the next picture, whose data need the range `wanted` (low, high).
    pub fn follow(&mut self, wanted: [f32; 2]) -> [f32; 2] {
        let span = |range: [f32; 2]| range[1] - range[0];
        let next = match self.kept {
            None => wanted,
            Some(kept) if wanted[0] < kept[0] || wanted[1] > kept[1] => {
                self.calm = 0;
                [wanted[0].min(kept[0]), wanted[1].max(kept[1])]
            }
            Some(kept) if span(wanted) < FILL * span(kept) => {
                self.calm += 1;
                if self.calm < PATIENCE { kept } else { wanted }
            }
            Some(kept) => {
                self.calm = 0;
                kept
            }
        };
        if self.kept != Some(next) {
            self.calm = 0;
        }
        self.kept = Some(next);
        next
    }
}

/// Half the height of a picture, centred on the origin, that shows all `points`. The picture is
/// `aspect` times as wide as high and has the same scale on both axes, so that distances are shown
/// correctly. The result is rounded up to one of ten steps per decade.
#[must_use]
pub fn extent(points: &[[f32; 2]], aspect: f32) -> f32 {
    let largest =
        points.iter().map(|[x, y]| (x.abs() / aspect).max(y.abs())).fold(0.0_f32, f32::max);
    let steps = (10.0 * (PADDING * largest).clamp(EXTENTS[0], EXTENTS[1]).log10()).ceil();
    10.0_f32.powf(steps / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_grows_at_once_and_shrinks_late() {
        let mut range = Steady::default();
        assert_eq!(range.follow([-1.0, 1.0]), [-1.0, 1.0]);
        assert_eq!(range.follow([-0.9, 0.9]), [-1.0, 1.0], "fills it well");
        assert_eq!(range.follow([-2.0, 0.5]), [-2.0, 1.0], "only the end that is too near moves");
        for picture in 1..PATIENCE {
            assert_eq!(range.follow([-0.5, 0.5]), [-2.0, 1.0], "picture {picture}");
        }
        assert_eq!(range.follow([-0.5, 0.5]), [-0.5, 0.5]);
    }

    #[test]
    fn patience_starts_anew_when_the_range_is_needed_in_between() {
        let mut range = Steady::default();
        range.follow([0.0, 10.0]);
        for _ in 0..3 {
            for _ in 1..PATIENCE {
                assert_eq!(range.follow([0.0, 1.0]), [0.0, 10.0]);
            }
            range.follow([0.0, 9.0]);
        }
    }

    #[test]
    fn an_extent_shows_every_point_with_room_around_it() {
        let points = [[4.0, 0.5], [-1.0, -1.0]];
        for aspect in [1.0, 1.5, 4.0] {
            let extent = extent(&points, aspect);
            for [x, y] in points {
                assert!(x.abs() < 0.9 * extent * aspect && y.abs() < 0.9 * extent, "{aspect}");
            }
            // At most one step larger than needed.
            assert!(extent < 1.3 * PADDING * (4.0 / aspect).max(1.0));
        }
        assert!(extent(&[[0.0; 2]], 1.0) > 0.0, "collapsed latents have a picture");
        assert!(extent(&[[f32::INFINITY, 0.0]], 1.0).is_finite());
    }
}
