//! A vector as a row of bars.

use super::number::Pen;

/// Bars at most; of a longer vector each bar is the largest of several entries.
const MOST_BARS: usize = 256;

/// The attribute `d` of bars around the middle of a strip of this size, where `largest` reaches its edge.
#[must_use]
pub fn bars(values: &[f32], largest: f64, [width, height]: [f64; 2]) -> String {
    let stretch = values.len().div_ceil(MOST_BARS).max(1);
    let bars = values.len().div_ceil(stretch).max(1);
    let (step, middle) = (width / bars as f64, height / 2.0);
    let mut pen = Pen::new();
    for (index, part) in values.chunks(stretch).enumerate() {
        let value =
            part.iter().copied().fold(0.0_f32, |a, b| if b.abs() > a.abs() { b } else { a });
        let length = (f64::from(value) / largest * middle).clamp(-middle, middle);
        if length != 0.0 {
            pen.rectangle([index as f64 * step, middle], [step * 0.8, -length]);
        }
    }
    pen.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_point_up_and_down_and_are_few() {
        assert_eq!(bars(&[1.0, 0.0, -2.0], 2.0, [30.0, 40.0]), "M0 20h8v-10h-8zM20 20h8v20h-8z");
        let long: Vec<f32> = (0..3136).map(|i| i as f32).collect();
        assert!(bars(&long, 3136.0, [300.0, 40.0]).matches('M').count() <= MOST_BARS);
        assert_eq!(bars(&[f32::NAN], 1.0, [30.0, 40.0]), "");
        assert_eq!(bars(&[], 0.0, [30.0, 40.0]), "");
    }
}
