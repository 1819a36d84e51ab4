//! Draws a vector as a row of bars.

use super::pen::Pen;

/// Largest number of bars. Each bar of a longer vector shows the largest of several entries.
const MOST_BARS: usize = 256;

/// The path attribute `d` of the bars in a strip of this size, for values between `low` and `high`.
/// 0 must lie between the two.
#[must_use]
pub fn bars(values: &[f32], [low, high]: [f64; 2], [width, height]: [f64; 2]) -> String {
    let stretch = values.len().div_ceil(MOST_BARS).max(1);
    let step = width / values.len().div_ceil(stretch).max(1) as f64;
    let unit = height / (high - low);
    let mut pen = Pen::new();
    for (index, part) in values.chunks(stretch).enumerate() {
        let largest = |a: f32, b: f32| if b.abs() > a.abs() { b } else { a };
        let value = f64::from(part.iter().copied().fold(0.0, largest)).clamp(low, high);
        if value != 0.0 {
            pen.rectangle([index as f64 * step, high * unit], [step * 0.8, -value * unit]);
        }
    }
    pen.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_point_up_and_down_and_are_few() {
        assert_eq!(
            bars(&[1.0, 0.0, -2.0], [-2.0, 2.0], [30.0, 40.0]),
            "M0 20h8v-10h-8zM20 20h8v20h-8z"
        );
        assert_eq!(bars(&[3.0, 1.0], [0.0, 2.0], [20.0, 40.0]), "M0 40h8v-40h-8zM10 40h8v-20h-8z");
        let long: Vec<f32> = (0..3136).map(|i| i as f32).collect();
        assert!(bars(&long, [0.0, 3136.0], [300.0, 40.0]).matches('M').count() <= MOST_BARS);
        assert_eq!(bars(&[f32::NAN], [0.0, 1.0], [30.0, 40.0]), "");
        assert_eq!(bars(&[], [0.0, 0.0], [30.0, 40.0]), "");
    }
}
