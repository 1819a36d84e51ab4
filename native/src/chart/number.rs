//! Numbers as short as a tick label must be: 1e-3, 0.05, 1,000, 2.5M.

/// A typographic minus has the width of a digit; a hyphen would be overlooked.
const MINUS: char = '\u{2212}';

/// Labels of the ticks of one linear axis, all with the same decimals and unit.
pub(super) fn labels(values: &[f64], step: f64) -> Vec<String> {
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    if !(1e-3..1e9).contains(&largest) {
        return values.iter().map(|&value| scientific(value)).collect();
    }
    let (unit, suffix) = if largest >= 1e6 { (1e6, "M") } else { (1.0, "") };
    let decimals = decimals(step / unit);
    values
        .iter()
        .map(|value| {
            let number = fixed(value / unit, decimals);
            if number == "0" { number } else { number + suffix }
        })
        .collect()
}

/// One number on its own, to about three digits, as the ticks would write it.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e9).contains(&size) {
        scientific(value)
    } else if size >= 1e6 {
        trim(&fixed(value / 1e6, 2)) + "M"
    } else {
        let decimals = (2.0 - size.log10().floor()).max(0.0) as usize;
        trim(&fixed(value, decimals))
    }
}

/// A power of ten as such: 1e-3. With other digits before it: 2.5e-4.
pub(super) fn scientific(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((digits, power)) => format!("{}e{power}", trim(digits)).replacen(
            '-',
            &sign(value),
            usize::from(value < 0.0),
        ),
        None => text,
    }
}

fn sign(value: f64) -> String {
    if value < 0.0 { MINUS.to_string() } else { String::new() }
}

/// As many decimals as tell multiples of `step` apart.
fn decimals(step: f64) -> usize {
    (0..9)
        .find(|&places| {
            let scaled = step * 10_f64.powi(places);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1e-300)
        })
        .map_or(9, |places| places as usize)
}

fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let zero = text.chars().all(|c| c == '0' || c == '.');
    if zero { "0".to_owned() } else { sign(value) + &grouped + rest }
}

fn trim(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_short() {
        assert_eq!(labels(&[0.0, 0.05, 0.1], 0.05), ["0", "0.05", "0.10"]);
        assert_eq!(labels(&[-500.0, 0.0, 1000.0], 500.0), ["\u{2212}500", "0", "1,000"]);
        assert_eq!(labels(&[0.0, 2.5e6, 5e6], 2.5e6), ["0", "2.5M", "5.0M"]);
        assert_eq!(labels(&[0.0, 2e-4], 2e-4), ["0", "2e-4"]);
        assert_eq!(labels(&[250_000.0, 500_000.0], 250_000.0), ["250,000", "500,000"]);
    }

    #[test]
    fn one_number_keeps_three_digits() {
        let cases = [
            (0.0, "0"),
            (0.00025, "2.5e-4"),
            (-0.00025, "\u{2212}2.5e-4"),
            (0.001, "0.001"),
            (0.05, "0.05"),
            (1.2345, "1.23"),
            (12_345.6, "12,346"),
            (1_500_000.0, "1.5M"),
            (3e12, "3e12"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }
}
