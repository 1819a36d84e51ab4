//! The types that a field can have, and how their values are written and read.

use std::fmt;

use serde::de::{DeserializeOwned, Error, Unexpected, Visitor};
use serde::{Deserializer, Serialize, Serializer};

use crate::FieldKind;

/// A type that a field can have.
pub trait FieldValue: Copy + Serialize + DeserializeOwned {
    /// The kind of its values.
    const KIND: FieldKind;
    /// The texts that [`FieldValue::from_text`] accepts, for error messages.
    const ALLOWED: &'static str;
    /// The value as text.
    fn to_text(&self) -> String;
    /// The value of a text; none if the text is not a value.
    fn from_text(text: &str) -> Option<Self>;

    /// Writes the value into a file as a person would: 0.9 and not 0.8999999761581421, which are
    /// the digits of the same 32-bit number in 64 bits.
    ///
    /// # Errors
    /// Errors of the serializer.
    fn write<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    /// Reads the value from a file that people write.
    ///
    /// # Errors
    /// If it is not a value of this type.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

macro_rules! whole_value {
    ($($ty:ty: $allowed:literal;)+) => {$(
        impl FieldValue for $ty {
            const KIND: FieldKind = FieldKind::Whole;
            const ALLOWED: &'static str = $allowed;

            fn to_text(&self) -> String {
                self.to_string()
            }

            fn from_text(text: &str) -> Option<Self> {
                whole(text).and_then(|number| Self::try_from(number).ok())
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = deserializer.deserialize_any(Whole(Self::ALLOWED))?;
                Self::try_from(number).ok().ok_or_else(|| {
                    D::Error::invalid_value(Unexpected::Unsigned(number), &Self::ALLOWED)
                })
            }
        }
    )+};
}

macro_rules! real_value {
    ($($ty:ty $(, $write:item)?;)+) => {$(
        impl FieldValue for $ty {
            const KIND: FieldKind = FieldKind::Real;
            const ALLOWED: &'static str = "a number, such as 0.001 or 1e-3";

            fn to_text(&self) -> String {
                shorter(self.to_string(), format!("{self:e}"))
            }

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            $($write)?
        }
    )+};
}

whole_value! {
    u32: "a whole number, 0 to 4294967295";
    u64: "a whole number, at least 0";
    usize: "a whole number, at least 0";
}

real_value! {
    f32,
        fn write<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.to_string().parse::<f64>() {
                // Readers round to 32 bits; if that did not give this number, all its digits are
                // kept.
                Ok(short) if (short as Self).to_bits() == self.to_bits() => {
                    serializer.serialize_f64(short)
                }
                _ => serializer.serialize_f32(self),
            }
        };
    f64;
}

impl FieldValue for bool {
    const KIND: FieldKind = FieldKind::Flag;
    const ALLOWED: &'static str = "true or false";

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        [("true", true), ("false", false)]
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .map(|(_, value)| value)
    }
}

/// A whole number as people write it: `1000000`, `1_000_000` or `1e6`.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let between_digits = text.split('_').all(|part| !part.is_empty());
    let digits = text.replace('_', "");
    let number = digits.parse().ok().or_else(|| exact(digits.parse().ok()?));
    number.filter(|_| between_digits || !text.contains('_'))
}

/// A floating-point number that is a whole one, below the numbers that it rounds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number between 0 and 2^53"
)]
fn exact(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
}

/// Reads a whole number of a file, where it may be written as 1e6.
struct Whole(&'static str);

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number)
            .ok()
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
        exact(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

/// The shorter of two exact forms: usual numbers are written plainly, but 1e-30 is not.
fn shorter(plain: String, exponential: String) -> String {
    const LONGEST_PLAIN: usize = 9;
    if plain.len() <= LONGEST_PLAIN || plain.len() <= exponential.len() {
        plain
    } else {
        exponential
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_as_people_write_them_and_never_rounded() {
        for (text, number) in [
            ("0", 0),
            ("10_000_000", 10_000_000),
            ("1e6", 1_000_000),
            ("1.5E3", 1500),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in ["", "-1", "1e-3", "1.5", "1e30", "_1", "1_", "1__0", "nan", "inf", "1 000"] {
            assert_eq!(whole(text), None, "{text}");
        }
        assert_eq!(u32::from_text("5e9"), None, "above the range");
    }

    #[test]
    fn switches_have_the_spelling_of_python_too() {
        assert_eq!((bool::from_text("False"), bool::from_text("TRUE")), (Some(false), Some(true)));
        assert_eq!(bool::from_text("0"), None);
    }
}
