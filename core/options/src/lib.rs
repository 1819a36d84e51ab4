//! One list of fields behind everything that names them: struct, flags, files, forms and links.
//!
//! [`fields!`] makes a struct of hyper-parameters together with a description of each field, and with
//! access to its fields by name and text; [`choices!`] makes the enums such a field can have. A form
//! or a link built on them cannot know another field, default or choice than the struct itself. Text
//! is the exchange format because it is exact: the shortest digits that give the same number.

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
    /// The group it belongs to.
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
        Self { name, heading, kind, doc }
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

/// A type that a field can have.
pub trait FieldValue: Sized {
    /// Its kind.
    const KIND: FieldKind;
    /// What [`FieldValue::from_text`] accepts, for error texts.
    const ALLOWED: &'static str;
    /// The value as text.
    fn to_text(&self) -> String;
    /// The value of a text; none if it is not one.
    fn from_text(text: &str) -> Option<Self>;
}

macro_rules! field_value {
    ($($ty:ty: $kind:ident, $allowed:literal, $to_text:expr;)+) => {$(
        impl FieldValue for $ty {
            const KIND: FieldKind = FieldKind::$kind;
            const ALLOWED: &'static str = $allowed;

            fn to_text(&self) -> String {
                $to_text(*self)
            }

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )+};
}

field_value! {
    bool: Flag, "true or false", |x: bool| x.to_string();
    u32: Whole, "a whole number", |x: u32| x.to_string();
    u64: Whole, "a whole number", |x: u64| x.to_string();
    usize: Whole, "a whole number", |x: usize| x.to_string();
    f32: Real, "a number", |x: f32| shorter(x.to_string(), format!("{x:e}"));
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

/// An enum for a field: names in files and flags, and the documentation of each variant.
#[macro_export]
macro_rules! choices {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $default:ident {
            $( $(#[doc = $about:literal])+ $text:literal $variant:ident, )+
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
        pub enum $name {
            $(
                $(#[doc = $about])+
                #[serde(rename = $text)]
                #[cfg_attr(feature = "cli", value(name = $text))]
                $variant,
            )+
        }

        impl $name {
            /// The name used on the command line, in files and in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )+
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::$default
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl $crate::FieldValue for $name {
            const KIND: $crate::FieldKind = $crate::FieldKind::Choice(&[
                $( $crate::Choice::new($text, &[$($about),+]), )+
            ]);
            const ALLOWED: &'static str = concat!("one of", $(" ", $text),+);

            fn to_text(&self) -> String {
                self.name().to_owned()
            }

            fn from_text(text: &str) -> Option<Self> {
                [$( Self::$variant ),+].into_iter().find(|choice| choice.name() == text)
            }
        }
    )+};
}

/// A struct of hyper-parameters from one list: documentation, heading, further attributes, name,
/// type and default of each field.
#[macro_export]
macro_rules! fields {
    (
        $(#[$meta:meta])*
        pub struct $struct:ident {
            $(
                $(#[doc = $doc:literal])+
                [$heading:literal] $(#[$extra:meta])*
                $name:ident: $ty:ty = $default:expr;
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        #[cfg_attr(feature = "cli", derive(clap::Args))]
        pub struct $struct {
            $(
                $(#[doc = $doc])+
                #[cfg_attr(feature = "cli", arg(long, help_heading = $heading, default_value_t = $struct::DEFAULT.$name))]
                $(#[$extra])*
                pub $name: $ty,
            )+
        }

        impl $struct {
            /// The defaults.
            pub const DEFAULT: Self = Self { $( $name: $default, )+ };
            /// Names of all fields, as written in a TOML file.
            pub const FIELDS: &'static [&'static str] = &[$( stringify!($name), )+];
            /// All fields, in the order of the struct.
            pub const FIELD_INFO: &'static [$crate::FieldInfo] = &[$(
                $crate::FieldInfo::new(
                    stringify!($name),
                    $heading,
                    <$ty as $crate::FieldValue>::KIND,
                    &[$($doc),+],
                ),
            )+];

            /// A field's value as text; none if there is no such field.
            #[must_use]
            pub fn get(&self, field: &str) -> Option<String> {
                match field {
                    $( stringify!($name) => Some($crate::FieldValue::to_text(&self.$name)), )+
                    _ => None,
                }
            }

            /// Sets a field from text. Whether the value is within its range is for
            /// `validate` to say, because that depends on other fields.
            ///
            /// # Errors
            /// If there is no such field or the text is not a value of its kind; nothing is changed.
            pub fn set(&mut self, field: &str, text: &str) -> Result<(), $crate::SetError> {
                match field {
                    $(
                        stringify!($name) => {
                            self.$name = $crate::read_field(stringify!($name), text)?;
                        }
                    )+
                    _ => return Err($crate::SetError::Unknown(field.to_owned())),
                }
                Ok(())
            }
        }

        impl Default for $struct {
            fn default() -> Self {
                Self::DEFAULT
            }
        }
    };
}

/// The value of a text, for the code that [`fields!`] makes.
#[doc(hidden)]
pub fn read_field<T: FieldValue>(field: &'static str, text: &str) -> Result<T, ConfigError> {
    T::from_text(text.trim()).ok_or_else(|| ConfigError {
        field,
        value: format!("{text:?}"),
        allowed: T::ALLOWED,
    })
}
