//! Numbers in short form for charts: `1e-3`, `0.05`, `12,346`, `2.5M`.

/// A typographic minus is as wide as a digit; a hyphen is easily overlooked.
const MINUS: char = '\u{2212}';

/// One number to about three significant digits: `7.93`, `−0.0031`, `12,346`, `2.5M`, `2e-6`.
///
/// Digits before the decimal point are never rounded away below a million. NaN is written as a
/// dash.
#[must_use]
pub fn number(x: f64) -> String {
    let size = x.abs();
    if x.is_nan() {
        "–".to_owned()
    } else if size.is_infinite() {
        typographic(if x < 0.0 { "-∞" } else { "∞" })
    } else if x == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e9).contains(&size) {
        scientific(x)
    } else if size >= 1e6 {
        trimmed(&grouped(&fixed(x / 1e6, 2))) + "M"
    } else {
        let decimals = (2.0 - size.log10().floor()).max(0.0) as usize;
        trimmed(&grouped(&fixed(x, decimals)))
    }
}

/// Labels for the ticks of one linear axis, all with the same decimals and unit: `0`, `0.05`,
/// `0.10`.
///
/// `step` is the distance of two ticks; it determines how many decimals distinguish them.
#[must_use]
pub fn tick_labels(values: &[f64], step: f64) -> Vec<String> {
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    if !(1e-3..1e9).contains(&largest) {
        return values.iter().map(|&value| scientific(value)).collect();
    }
    let (unit, suffix) = if largest >= 1e6 { (1e6, "M") } else { (1.0, "") };
    let decimals = decimals_of(step / unit);
    let label = |value: &f64| {
        let text = fixed(value / unit, decimals);
        if is_zero(&text) { "0".to_owned() } else { grouped(&text) + suffix }
    };
    values.iter().map(label).collect()
}

/// A number as digits and a power of ten, with three significant digits: `1e-3`, `2.5e-4`.
#[must_use]
pub fn scientific(x: f64) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{x:.2e}");
    match text.split_once('e') {
        Some((digits, power)) => typographic(&format!("{}e{power}", trimmed(digits))),
        None => text,
    }
}

/// A number with a fixed number of decimals and a typographic minus; a number that is shown as 0
/// has no sign.
#[must_use]
pub fn fixed(x: f64, decimals: usize) -> String {
    typographic(&decimal(x, decimals))
}

/// Like [`fixed`], but with a hyphen as minus, so that other programs can read the number.
#[must_use]
pub fn decimal(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if is_zero(zero) => zero.to_owned(),
        _ => text,
    }
}

/// A whole number with commas between groups of three digits: `10,000,000`.
#[must_use]
pub fn thousands(x: u64) -> String {
    grouped(&x.to_string())
}

/// Puts commas into the digits before the decimal point.
fn grouped(text: &str) -> String {
    let (sign, text) = text.strip_prefix(MINUS).map_or(("", text), |rest| ("\u{2212}", rest));
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

/// The number without zeros at the end of its decimals.
fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

fn typographic(text: &str) -> String {
    text.strip_prefix('-').map_or_else(|| text.to_owned(), |size| format!("{MINUS}{size}"))
}

fn is_zero(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// The number of decimals that distinguishes multiples of `step`.
fn decimals_of(step: f64) -> usize {
    (0..9)
        .find(|&places| {
            let scaled = step * 10_f64.powi(places);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1e-300)
        })
        .map_or(9, |places| places as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_an_axis_have_the_same_decimals() {
        assert_eq!(tick_labels(&[0.0, 0.05, 0.1], 0.05), ["0", "0.05", "0.10"]);
        assert_eq!(tick_labels(&[-500.0, 0.0, 1000.0], 500.0), ["\u{2212}500", "0", "1,000"]);
        assert_eq!(tick_labels(&[0.0, 2.5e6, 5e6], 2.5e6), ["0", "2.5M", "5.0M"]);
        assert_eq!(tick_labels(&[0.0, 2e-4], 2e-4), ["0", "2e-4"]);
        assert_eq!(tick_labels(&[250_000.0, 500_000.0], 250_000.0), ["250,000", "500,000"]);
    }

    #[test]
    fn one_number_is_short_and_keeps_its_meaning() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.000_25, "2.5e-4"),
            (-0.000_25, "\u{2212}2.5e-4"),
            (2e-6, "2e-6"),
            (0.001, "0.001"),
            (0.003_12, "0.00312"),
            (0.05, "0.05"),
            (0.4375, "0.438"),
            (1.2345, "1.23"),
            (4.8, "4.8"),
            (8.0103, "8.01"),
            (-46.63, "\u{2212}46.6"),
            (100.0, "100"),
            (131.0, "131"),
            (12_345.6, "12,346"),
            (-65_536.0, "\u{2212}65,536"),
            (1_500_000.0, "1.5M"),
            (2_000_000.0, "2M"),
            (3e12, "3e12"),
            (f64::NAN, "–"),
            (f64::INFINITY, "∞"),
            (f64::NEG_INFINITY, "\u{2212}∞"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn decimals_are_exactly_as_many_and_a_zero_has_no_sign() {
        assert_eq!([decimal(-0.138_1, 3), decimal(-0.000_4, 3)], ["-0.138", "0.000"]);
        assert_eq!([fixed(-0.138_1, 3), fixed(-0.000_4, 3)], ["\u{2212}0.138", "0.000"]);
        assert_eq!([decimal(12_850.0, 0), fixed(1.0, 0)], ["12850", "1"]);
    }

    #[test]
    fn digits_come_in_groups_of_three() {
        let found = [0, 999, 1_000, 10_000_000].map(thousands);
        assert_eq!(found, ["0", "999", "1,000", "10,000,000"]);
    }
}
