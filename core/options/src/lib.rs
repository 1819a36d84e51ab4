//! One list of fields defines a struct, its flags, files, forms and links.
//!
//! [`fields!`] defines a struct of hyper-parameters together with a description of each field, with
//! access to its fields by name and text, and with a second struct that holds only the fields that
//! were given. [`choices!`] defines the enums of such fields. Forms and links must use these
//! descriptions: they then always have the same fields, defaults and choices as the struct.
//!
//! A struct can have *parts*: structs of their own, each a table of the file. Names of fields must
//! be unique over all parts, so that flags, links and messages need no part's name; the macro
//! refuses two equal names.
//!
//! Values are exchanged as text, with the shortest digits that give the same number, so no value
//! changes.

mod choices;
mod fields;
#[cfg(feature = "cli")]
pub mod flags;
#[doc(hidden)]
pub mod support;
mod value;

pub use support::Flat;
pub use value::FieldValue;

/// A value outside its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("config field `{field}` is {value}; allowed: {allowed}")]
pub struct ConfigError {
    /// Name of the field, as in TOML.
    pub field: &'static str,
    /// The value that was refused.
    pub value: String,
    /// The accepted values.
    pub allowed: &'static str,
}

/// What kind of value a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// `true` or `false`.
    Flag,
    /// A whole number, at least 0.
    Whole,
    /// A real number.
    Real,
    /// One of these values.
    Choice(&'static [Choice]),
}

/// A named value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Name in files and flags.
    pub name: &'static str,
    doc: &'static [&'static str],
}

/// Description of a field of a struct of hyper-parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Name, as in the struct and in files.
    pub name: &'static str,
    /// The table of the file that holds it; none for the top level.
    pub part: Option<&'static str>,
    /// Heading of its group in help texts and forms.
    pub heading: &'static str,
    /// Kind of its values.
    pub kind: FieldKind,
    doc: &'static [&'static str],
}

impl Choice {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static [&'static str]) -> Self {
        Self { name, doc }
    }

    /// The meaning of the value: the documentation of the variant.
    #[must_use]
    pub fn description(&self) -> String {
        join(self.doc)
    }
}

impl FieldInfo {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        heading: &'static str,
        kind: FieldKind,
        doc: &'static [&'static str],
    ) -> Self {
        Self { name, part: None, heading, kind, doc }
    }

    /// Meaning, range and effect of 0: the documentation of the field.
    #[must_use]
    pub fn description(&self) -> String {
        join(self.doc)
    }
}

fn join(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// Why a field could not be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The struct has no field of this name.
    #[error("there is no field `{0}`")]
    Unknown(String),
    /// The text is not a value of the field's kind.
    #[error(transparent)]
    Unreadable(#[from] ConfigError),
}
