//! Principal components of latents, for two-dimensional pictures.

use faer::Mat;

/// Rows projected onto their first two principal components.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// `(x, y)` of each row.
    pub points: Vec<[f64; 2]>,
    /// Share of the variance along each of the two axes.
    pub explained: [f64; 2],
}

/// Projects `rows` rows of equal length (`[S, D]` as one slice) onto their first two principal
/// components.
///
/// The sign of a component is arbitrary. So that two pictures can be compared, the first axis
/// points towards row `anchors[0]` and the second towards row `anchors[1]`. If all rows are equal,
/// they lie at the origin. None if a value is not finite or there are fewer than two rows.
#[must_use]
pub fn principal_components(data: &[f32], rows: usize, anchors: [usize; 2]) -> Option<Projection> {
    if rows < 2 || data.is_empty() || data.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let width = data.len() / rows;
    let at = |row: usize, column: usize| f64::from(data[row * width + column]);
    let means: Vec<f64> =
        (0..width).map(|c| (0..rows).map(|r| at(r, c)).sum::<f64>() / rows as f64).collect();
    let centred = Mat::from_fn(rows, width, |r, c| at(r, c) - means[c]);
    let svd = centred.thin_svd().ok()?;
    let (u, sizes) = (svd.U(), svd.S().column_vector());
    let total: f64 = sizes.iter().map(|s| s * s).sum();
    let mut points = vec![[0.0; 2]; rows];
    let mut explained = [0.0; 2];
    for axis in 0..2.min(sizes.nrows()) {
        let size = sizes[axis];
        let sign = if u[(anchors[axis].min(rows - 1), axis)] < 0.0 { -1.0 } else { 1.0 };
        for (row, point) in points.iter_mut().enumerate() {
            point[axis] = sign * size * u[(row, axis)];
        }
        explained[axis] = if total > 0.0 { size * size / total } else { 0.0 };
    }
    Some(Projection { points, explained })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_cloud_keeps_its_distances_and_its_orientation() {
        // Points of a plane in four dimensions: u = (1, 1, 0, 0) / sqrt 2 and v = (0, 0, 1, 0).
        let plane = [(3.0, 0.0), (-3.0, 0.0), (0.0, 1.0), (0.0, -1.0)];
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let data: Vec<f32> =
            plane.iter().flat_map(|&(a, b)| [a * half + 5.0, a * half, b, 2.0]).collect();
        for anchors in [[0, 2], [1, 3]] {
            let projection = principal_components(&data, 4, anchors).expect("finite");
            let sign = if anchors[0] == 0 { 1.0 } else { -1.0 };
            for (found, (a, b)) in projection.points.iter().zip(plane) {
                assert!((found[0] - sign * f64::from(a)).abs() < 1e-5, "{found:?}");
                assert!((found[1] - sign * f64::from(b)).abs() < 1e-5, "{found:?}");
            }
            assert!((projection.explained[0] - 0.9).abs() < 1e-6);
        }
    }

    #[test]
    fn equal_rows_lie_at_the_origin_and_what_is_not_finite_is_refused() {
        let same = principal_components(&[1.0, 2.0, 1.0, 2.0], 2, [0, 1]).expect("finite");
        assert!(same.points.iter().flatten().all(|x| x.abs() < 1e-9));
        assert_eq!(principal_components(&[1.0, f32::NAN], 2, [0, 1]), None);
        assert_eq!(principal_components(&[1.0], 1, [0, 0]), None);
    }
}
