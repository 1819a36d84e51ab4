//! Latents of real observations, among which the one nearest to an imagined latent is found: an imagined
//! latent is no picture, and is shown as the real picture that is nearest.

/// Latents by which [`SeenLatents::typical_distance`] judges.
const COMPARED: usize = 32;

/// Latents of the observations of a run, among which the nearest one is found.
#[derive(Clone, Debug, Default)]
pub struct SeenLatents {
    latents: Vec<f32>,
    width: usize,
    limit: usize,
}

impl SeenLatents {
    /// None yet; at most `limit` are kept, the first ones.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Number of latents.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.latents.len().checked_div(self.width) {
            Some(len) => len,
            None => 0,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.latents.is_empty()
    }

    /// Keeps a latent if there is room.
    pub fn push(&mut self, latent: &[f32]) {
        self.width = latent.len();
        if self.len() < self.limit {
            self.latents.extend_from_slice(latent);
        }
    }

    /// Number and distance of the nearest latent; none if there is none.
    #[must_use]
    pub fn nearest(&self, latent: &[f32]) -> Option<(usize, f32)> {
        let rows = self.latents.chunks_exact(self.width.max(1));
        let distances = rows.map(|row| distance(row, latent) as f32).enumerate();
        distances.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Mean distance of two of them, of 32 that are evenly spread over all; 0 if there are fewer than
    /// two.
    #[must_use]
    pub fn typical_distance(&self) -> f64 {
        let (len, count) = (self.len(), self.len().min(COMPARED));
        typical_distance(count, |i| &self.latents[i * len / count * self.width..][..self.width])
    }
}

/// Mean distance of the latents of two different states; 0 if there are fewer than two.
pub(crate) fn typical_distance<'a>(states: usize, latent: impl Fn(usize) -> &'a [f32]) -> f64 {
    let pairs = (0..states).flat_map(|a| (0..a).map(move |b| (a, b)));
    let distances: Vec<f64> = pairs.map(|(a, b)| distance(latent(a), latent(b))).collect();
    distances.iter().sum::<f64>() / distances.len().max(1) as f64
}

/// Euclidean distance.
pub(crate) fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typical_distance_is_the_mean_over_pairs() {
        let mut seen = SeenLatents::new(1_000);
        assert_eq!((seen.typical_distance(), seen.nearest(&[1.0])), (0.0, None));
        for x in [0.0, 3.0, 9.0] {
            seen.push(&[x, 1.0]);
        }
        // 3, 9 and 6.
        assert_eq!(seen.typical_distance(), 6.0);
        assert_eq!(seen.nearest(&[4.0, 1.0]), Some((1, 1.0)));
        // Of many, 32 that are evenly spread: 0, 10, 20, and so on.
        let mut many = SeenLatents::new(1_000);
        for x in 0..320_u16 {
            many.push(&[f32::from(x)]);
        }
        assert_eq!(many.typical_distance(), 110.0);
    }
}
