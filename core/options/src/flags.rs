//! Values of command-line flags: which spellings are accepted, and the error for all others.

use std::fmt::Display;
use std::ops::RangeInclusive;

use clap::Arg;

use crate::value::whole;
use crate::{FieldKind, FieldValue};

/// The flag of a field, with all spellings of its values.
#[must_use]
pub fn spelled<T: FieldValue + Send + Sync + 'static>(arg: Arg) -> Arg {
    match T::KIND {
        FieldKind::Flag => switch(arg),
        FieldKind::Whole | FieldKind::Real => value::<T>(arg),
        // Lists its choices itself.
        FieldKind::Choice(_) => arg,
    }
}

/// Makes a flag read its value as forms and links do.
#[must_use]
fn value<T: FieldValue + Send + Sync + 'static>(arg: Arg) -> Arg {
    arg.value_parser(|text: &str| {
        T::from_text(text).ok_or_else(|| format!("allowed: {}", T::ALLOWED))
    })
}

/// Makes a flag accept a value: `--flag` alone is true, and `--flag False` is false.
#[must_use]
fn switch(arg: Arg) -> Arg {
    arg.action(clap::ArgAction::Set)
        .num_args(0..=1)
        .default_missing_value("true")
        .value_name("BOOL")
        .value_parser(boolean)
}

/// A parser for switches, with the spellings of Python and of configuration files.
///
/// # Errors
/// If the text is none of them; the text of the error says what is allowed.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("allowed: true or false".to_owned()),
    }
}

/// A parser for whole numbers in a range, which may be written as 1e6 or 1_000_000.
pub fn whole_number<T: Copy + PartialOrd + Display + TryFrom<u64>>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let found = whole(text).and_then(|number| T::try_from(number).ok());
        found
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("allowed: a whole number, {} to {}", range.start(), range.end()))
    }
}
