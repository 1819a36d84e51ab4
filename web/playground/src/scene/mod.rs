//! The picture of an agent's latents, without knowing who draws it.
//!
//! Two draw it: the trainer, on the GPU that trains, and the page, on a plain canvas. Both are given
//! the same [`picture::Mark`]s in pixels, so that the two pictures are equal, and both let the points
//! glide in the same way ([`motion`]). The page alone decides the ranges ([`steady`]), because labels
//! and hit tests depend on them; it tells the trainer in a [`LatentScene`](crate::protocol::LatentScene).
//! The page makes the picture that is saved from the same marks.

pub mod colour;
pub mod labels;
pub mod motion;
pub mod pick;
pub mod picture;
pub mod steady;

use deepspi_worlds::maze::Maze;

/// States that are drawn unlike the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// The critical states: upper and lower star.
    pub stars: [usize; 2],
    /// Where episodes start.
    pub start: usize,
}

impl Roles {
    /// Those of a maze.
    #[must_use]
    pub const fn of(maze: &Maze) -> Self {
        Self { stars: maze.stars(), start: maze.start() }
    }
}

/// Mirrors `points` along each axis that faces the other way than in `before`: a principal component
/// has no sign, and a picture must not be mirrored from one iteration to the next.
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

/// Everything in the picture that moves when the agent has learned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shot {
    /// Latents on two principal components, in latent units `[S]`.
    pub points: Vec<[f32; 2]>,
    /// Exact values of the policy `[S]`.
    pub values: Vec<f32>,
    /// Half the height of the picture in latent units; 0 before it is known: nothing is drawn.
    pub extent: f32,
    /// Values at the two ends of the palette.
    pub range: [f32; 2],
}

impl Shot {
    /// A shot from what the worker reports, in single precision: it only has to be seen.
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
        // Another maze has no orientation in common.
        keep_facing(&[], &mut points);
        assert_eq!(points, kept);
    }
}
