//! The picture of an agent's latents, independent of the code that draws it.
//!
//! The trainer draws it on the GPU that trains, or the page draws it on a 2-D canvas. Both draw the
//! same [`picture::Mark`]s in pixels, so the pictures are equal, and both move the points in the
//! same way ([`motion`]). Only the page chooses the ranges ([`steady`]), because labels and hit
//! tests depend on them; it sends them to the trainer in a
//! [`LatentScene`](crate::protocol::LatentScene). A saved picture is made from the same marks.

pub mod colour;
pub mod labels;
pub mod motion;
pub mod pick;
pub mod picture;
pub mod steady;

use deepspi_worlds::maze::Maze;

/// States with special marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// The two critical states: upper and lower star.
    pub stars: [usize; 2],
    /// The state in which episodes start.
    pub start: usize,
}

impl Roles {
    /// The special states of a maze.
    #[must_use]
    pub const fn of(maze: &Maze) -> Self {
        Self { stars: maze.stars(), start: maze.start() }
    }
}

/// Mirrors `points` along each axis that has the opposite direction in `before`. The sign of a
/// principal component is arbitrary, and without this the picture could flip between two
/// iterations.
pub fn keep_facing(before: &[[f64; 2]], points: &mut [[f64; 2]]) {
    for axis in 0..2 {
        let alike: f64 = before.iter().zip(&*points).map(|(a, b)| a[axis] * b[axis]).sum();
        if alike < 0.0 {
            for point in &mut *points {
                point[axis] = -point[axis];
            }
        }
    }
}

/// Everything in the picture that changes with the agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shot {
    /// Latents projected on two principal components, in latent units, `[S]`.
    pub points: Vec<[f32; 2]>,
    /// Exact values of the policy, `[S]`.
    pub values: Vec<f32>,
    /// Half the height of the picture in latent units; 0 while it is unknown, and then nothing is
    /// drawn.
    pub extent: f32,
    /// Values at the two ends of the palette.
    pub range: [f32; 2],
}

impl Shot {
    /// A shot of what the worker reports. Single precision is enough for a picture.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "for the eye")]
    pub fn new(points: &[[f64; 2]], values: &[f64], extent: f32, range: [f32; 2]) -> Self {
        Self {
            points: points.iter().map(|point| point.map(|x| x as f32)).collect(),
            values: values.iter().map(|v| *v as f32).collect(),
            extent,
            range,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirrored_picture_is_turned_back_and_another_is_left_alone() {
        let before = [[2.0, 1.0], [-2.0, 0.5], [0.0, -1.5]];
        let mut points = [[2.2, -0.9], [-2.1, -0.4], [-0.1, 1.3]];
        keep_facing(&before, &mut points);
        assert_eq!(points, [[2.2, 0.9], [-2.1, 0.4], [-0.1, -1.3]]);
        let kept = points;
        keep_facing(&before, &mut points);
        assert_eq!(points, kept);
        // Without earlier points nothing is mirrored.
        keep_facing(&[], &mut points);
        assert_eq!(points, kept);
    }
}
