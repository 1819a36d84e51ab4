//! A fast writer of SVG paths.

/// Writes the attribute `d` of a path with a resolution of a tenth of a pixel.
///
/// A chart of two curves with hundreds of points is redrawn up to twenty times a second; with the
/// formatting of the standard library, most of that time would be spent on numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pen(String);

impl Pen {
    /// An empty path.
    #[must_use]
    pub const fn new() -> Self {
        Self(String::new())
    }

    /// A straight line.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2]) {
        self.to('M', from);
        self.to('L', to);
    }

    /// A dot, drawn as a line of length 0 with round ends.
    pub fn dot(&mut self, at: [f64; 2]) {
        self.to('M', at);
        self.0.push_str("h0");
    }

    /// A rectangle.
    pub fn rectangle(&mut self, from: [f64; 2], size: [f64; 2]) {
        self.to('M', from);
        for (command, length) in [('h', size[0]), ('v', size[1]), ('h', -size[0])] {
            self.0.push(command);
            self.coordinate(length);
        }
        self.0.push('z');
    }

    /// A closed polygon.
    pub fn polygon(&mut self, corners: &[[f64; 2]]) {
        self.curve(corners.iter().map(|corner| Some(*corner)));
        self.0.push('z');
    }

    /// A curve through points. A single point between two gaps becomes a dot.
    pub fn curve(&mut self, points: impl IntoIterator<Item = Option<[f64; 2]>>) {
        let mut run = 0;
        for point in points {
            match point {
                Some(at) => {
                    self.to(if run == 0 { 'M' } else { 'L' }, at);
                    run += 1;
                }
                None => {
                    self.end_run(run);
                    run = 0;
                }
            }
        }
        self.end_run(run);
    }

    fn end_run(&mut self, points: usize) {
        if points == 1 {
            self.0.push_str("h0");
        }
    }

    fn to(&mut self, command: char, [x, y]: [f64; 2]) {
        self.0.push(command);
        self.coordinate(x);
        self.0.push(' ');
        self.coordinate(y);
    }

    #[expect(clippy::cast_possible_truncation, reason = "clamped to a million pixels")]
    fn coordinate(&mut self, x: f64) {
        let tenths = (x * 10.0).round().clamp(-1e7, 1e7) as i32;
        if tenths < 0 {
            self.0.push('-');
        }
        let tenths = tenths.unsigned_abs();
        self.integer(tenths / 10);
        if !tenths.is_multiple_of(10) {
            self.0.push('.');
            self.integer(tenths % 10);
        }
    }

    fn integer(&mut self, x: u32) {
        if x >= 10 {
            self.integer(x / 10);
        }
        self.0.push(char::from_digit(x % 10, 10).unwrap_or('0'));
    }
}

impl From<Pen> for String {
    fn from(pen: Pen) -> Self {
        pen.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pen_writes_tenths_and_dots() {
        let mut pen = Pen::new();
        pen.curve([Some([0.04, -3.26]), None, Some([10.0, 120.25]), Some([11.5, 7.0])]);
        assert_eq!(String::from(pen), "M0 -3.3h0M10 120.3L11.5 7");
    }
}
