//! The types a field can have, and how each is written and read.

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use crate::FieldKind;

/// A type that a field can have.
pub trait FieldValue: Copy + Serialize + DeserializeOwned {
    /// Its kind.
    const KIND: FieldKind;
    /// What [`FieldValue::from_text`] accepts, for error texts.
    const ALLOWED: &'static str;
    /// The value as text.
    fn to_text(&self) -> String;
    /// The value of a text; none if it is not one.
    fn from_text(text: &str) -> Option<Self>;

    /// Writes the value into a file as a person would: 0.9 and not 0.8999999761581421, which is the same
    /// number of 32 bits with the digits of 64.
    ///
    /// # Errors
    /// What the format says.
    fn write<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

macro_rules! field_value {
    ($($ty:ty: $kind:ident, $allowed:literal, $to_text:expr $(, $write:item)?;)+) => {$(
        impl FieldValue for $ty {
            const KIND: FieldKind = FieldKind::$kind;
            const ALLOWED: &'static str = $allowed;

            fn to_text(&self) -> String {
                $to_text(*self)
            }

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            $($write)?
        }
    )+};
}

field_value! {
    bool: Flag, "true or false", |x: bool| x.to_string();
    u32: Whole, "a whole number", |x: u32| x.to_string();
    u64: Whole, "a whole number", |x: u64| x.to_string();
    usize: Whole, "a whole number", |x: usize| x.to_string();
    f32: Real, "a number", |x: f32| shorter(x.to_string(), format!("{x:e}")),
        fn write<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.to_string().parse::<f64>() {
                // Readers round to 32 bits; where that would not give this number, it keeps all its digits.
                Ok(short) if (short as Self).to_bits() == self.to_bits() => {
                    serializer.serialize_f64(short)
                }
                _ => serializer.serialize_f32(self),
            }
        };
    f64: Real, "a number", |x: f64| shorter(x.to_string(), format!("{x:e}"));
}

/// Numbers people write are written plainly, 1e-30 is not; both forms are exact.
fn shorter(plain: String, exponential: String) -> String {
    const LONGEST_PLAIN: usize = 9;
    if plain.len() <= LONGEST_PLAIN || plain.len() <= exponential.len() {
        plain
    } else {
        exponential
    }
}
