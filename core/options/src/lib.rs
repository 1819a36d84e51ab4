//! One list of fields behind everything that names them: struct, flags, files, forms and links.
//!
//! [`fields!`] makes a struct of hyper-parameters together with a description of each field, with
//! access to its fields by name and text, and with a second struct that holds only the fields that were
//! given. [`choices!`] makes the enums such a field can have. A form or a link built on them cannot know
//! another field, default or choice than the struct itself.
//!
//! A struct can have *parts*: structs of their own, each a table of the file. Names of fields are unique
//! over all parts, so that flags, links and messages need no part's name; the macro refuses two equal names.
//!
//! Text is the exchange format because it is exact: the shortest digits that give the same number.

mod choices;
mod fields;
#[doc(hidden)]
pub mod support;
mod value;

pub use support::Flat;
pub use value::FieldValue;

/// A value outside its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("config field `{field}` is {value}; allowed: {allowed}")]
pub struct ConfigError {
    /// Name of the field as in TOML.
    pub field: &'static str,
    /// The offending value.
    pub value: String,
    /// What would be accepted.
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
    /// One of these.
    Choice(&'static [Choice]),
}

/// One value of a field that has few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name in files and flags.
    pub name: &'static str,
    doc: &'static [&'static str],
}

/// What a struct of hyper-parameters says of one of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its name, as in the struct and in files.
    pub name: &'static str,
    /// The table of the file that it stands in; none for the top level.
    pub part: Option<&'static str>,
    /// The group it belongs to in help texts and forms.
    pub heading: &'static str,
    /// Its values.
    pub kind: FieldKind,
    doc: &'static [&'static str],
}

impl Choice {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static [&'static str]) -> Self {
        Self { name, doc }
    }

    /// What it means: the documentation of the variant.
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
    /// The text is no value of the field's kind.
    #[error(transparent)]
    Unreadable(#[from] ConfigError),
}
