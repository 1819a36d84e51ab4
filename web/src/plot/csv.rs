//! The numbers of a chart as CSV.
//!
//! The first line is the header, with nothing before it, so that every program can read the file.
//! The last column states the origin of the numbers.

use std::fmt::Write as _;

use super::{Dots, Series};

/// One row for each x and one column for each series; a cell is empty if the series has no value
/// there.
#[must_use]
pub fn lines_csv(x_label: &str, y_label: &str, series: &[Series], source: &str) -> String {
    let mut text = field(x_label);
    for series in series {
        text.push(',');
        text.push_str(&field(&format!("{}: {y_label}", series.label)));
    }
    text.push_str(",source\n");
    let mut xs: Vec<f64> =
        series.iter().flat_map(|s| s.points.iter().map(|point| point[0])).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let mut rest: Vec<&[[f64; 2]]> = series.iter().map(|s| &*s.points).collect();
    for x in xs {
        push(&mut text, x);
        for points in &mut rest {
            text.push(',');
            // Of several points with the same x, only one is written.
            *points = &points[points.partition_point(|point| point[0] < x)..];
            if let Some([_, y]) = points.first().filter(|point| point[0] == x) {
                push(&mut text, *y);
            }
        }
        text.push(',');
        text.push_str(&field(source));
        text.push('\n');
    }
    text
}

/// One row for each dot.
#[must_use]
pub fn dots_csv(dots: &Dots, names: [&str; 3], source: &str) -> String {
    let mut text = names.map(field).join(",");
    text.push_str(",source\n");
    for ([x, y], value) in dots.points.iter().zip(dots.values.iter()) {
        push(&mut text, *x);
        text.push(',');
        push(&mut text, *y);
        text.push(',');
        push(&mut text, *value);
        text.push(',');
        text.push_str(&field(source));
        text.push('\n');
    }
    text
}

/// Appends a number; NaN and infinite values are left empty.
fn push(text: &mut String, x: f64) {
    if x.is_finite() {
        // Writing to a string cannot fail.
        let _written = write!(text, "{x}");
    }
}

/// A text as a field of a CSV file, in quotes if necessary (RFC 4180).
#[must_use]
pub fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dash;
    use super::*;

    #[test]
    fn rows_are_joined_by_x_and_fields_are_quoted() {
        let series = |label: &'static str, points: &[[f64; 2]]| Series {
            label: label.into(),
            colour: "red",
            dash: Dash::Solid,
            points: points.into(),
        };
        let all = [
            series("PPO", &[[0.0, 1.5], [512.0, f64::NAN]]),
            series("Deep, SPI", &[[512.0, 2.0], [1024.0, 3.0], [2048.0, f64::INFINITY]]),
        ];
        assert_eq!(
            lines_csv("agent steps", "value", &all, "seed \"1\", cpu"),
            "agent steps,PPO: value,\"Deep, SPI: value\",source\n\
             0,1.5,,\"seed \"\"1\"\", cpu\"\n\
             512,,2,\"seed \"\"1\"\", cpu\"\n\
             1024,,3,\"seed \"\"1\"\", cpu\"\n\
             2048,,,\"seed \"\"1\"\", cpu\"\n"
        );
    }
}
