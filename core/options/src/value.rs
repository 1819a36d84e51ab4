//! The types that a field can have, and how their values are written and read.

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

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
                // Readers round to 32 bits; if that did not give this number, all its digits are
                // kept.
                Ok(short) if (short as Self).to_bits() == self.to_bits() => {
                    serializer.serialize_f64(short)
                }
                _ => serializer.serialize_f32(self),
            }
        };
    f64: Real, "a number", |x: f64| shorter(x.to_string(), format!("{x:e}"));
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
