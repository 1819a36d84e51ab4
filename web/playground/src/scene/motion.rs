//! Motion of the points from their old positions to the new ones.
//!
//! The positions in between have no meaning: the motion only helps the eye to follow a point. For
//! users who prefer reduced motion the duration is 0, and the points jump.

use super::Shot;

/// The motion between two shots.
#[derive(Clone, Debug, Default)]
pub struct Motion {
    from: Shot,
    to: Shot,
    /// Start and duration, in milliseconds of the caller's clock.
    began: f64,
    lasts: f64,
}

impl Motion {
    /// Starts a motion from the positions at time `now` to `to`, in `lasts` milliseconds. If the
    /// number of states has changed (another maze), the new points appear at once.
    pub fn aim(&mut self, to: Shot, now: f64, lasts: f64) {
        if to == self.to {
            return;
        }
        let comparable = to.points.len() == self.to.points.len() && self.to.extent > 0.0;
        self.from = if comparable { self.at(now) } else { to.clone() };
        self.to = to;
        (self.began, self.lasts) = (now, if comparable { lasts } else { 0.0 });
    }

    /// Whether the motion has ended.
    #[must_use]
    pub fn is_over(&self, now: f64) -> bool {
        now - self.began >= self.lasts
    }

    /// The positions at time `now`.
    #[must_use]
    pub fn at(&self, now: f64) -> Shot {
        if self.is_over(now) {
            return self.to.clone();
        }
        #[expect(clippy::cast_possible_truncation, reason = "a share of 1")]
        let linear = ((now - self.began) / self.lasts).clamp(0.0, 1.0) as f32;
        // Fast at first and slow at the end.
        let share = linear * (2.0 - linear);
        let mix = |from: f32, to: f32| share.mul_add(to - from, from);
        let pair = |from: [f32; 2], to: [f32; 2]| [mix(from[0], to[0]), mix(from[1], to[1])];
        let (from, to) = (&self.from, &self.to);
        Shot {
            points: from.points.iter().zip(&to.points).map(|(a, b)| pair(*a, *b)).collect(),
            values: from.values.iter().zip(&to.values).map(|(a, b)| mix(*a, *b)).collect(),
            extent: mix(from.extent, to.extent),
            range: pair(from.range, to.range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shot(x: f32) -> Shot {
        Shot { points: vec![[x, -x]], values: vec![x], extent: 1.0, range: [0.0, 1.0] }
    }

    #[test]
    fn the_first_shot_is_there_at_once_and_the_next_glides() {
        let mut motion = Motion::default();
        motion.aim(shot(0.0), 10.0, 100.0);
        assert!(motion.is_over(10.0));
        motion.aim(shot(4.0), 20.0, 100.0);
        assert_eq!(motion.at(20.0), shot(0.0));
        assert_eq!(motion.at(70.0).points, [[3.0, -3.0]]);
        assert_eq!((motion.at(120.0), motion.is_over(120.0)), (shot(4.0), true));
    }

    #[test]
    fn a_new_aim_starts_from_where_the_points_are() {
        let mut motion = Motion::default();
        motion.aim(shot(0.0), 0.0, 0.0);
        motion.aim(shot(4.0), 0.0, 100.0);
        motion.aim(shot(-1.0), 50.0, 100.0);
        assert_eq!(motion.at(50.0), shot(3.0));
        // The same aim again changes nothing.
        motion.aim(shot(-1.0), 90.0, 100.0);
        assert!(motion.is_over(150.0));
    }

    #[test]
    fn another_maze_appears_at_once_and_so_does_everything_without_motion() {
        let mut motion = Motion::default();
        motion.aim(shot(1.0), 0.0, 100.0);
        let larger = Shot { points: vec![[0.0; 2]; 3], values: vec![0.0; 3], ..shot(0.0) };
        motion.aim(larger.clone(), 0.0, 100.0);
        assert_eq!(motion.at(0.0), larger);
        motion.aim(Shot { extent: 2.0, ..larger }, 0.0, 0.0);
        assert!((motion.at(0.0).extent - 2.0).abs() < f32::EPSILON);
    }
}
