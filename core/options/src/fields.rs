//! The macro that defines structs of hyper-parameters.

/// Defines a struct of hyper-parameters from one list, and a second struct with the fields that
/// were given.
///
/// The list has for each field: documentation, heading, further attributes, name, type and default.
/// After the fields there may be *parts*, structs that this macro defined before:
///
/// ```ignore
/// fields! {
///     /// A run.
///     pub struct Config, overrides ConfigOverrides {
///         /// Discount factor in [0, 1).
///         ["Algorithm"]
///         gamma: f32 = 0.99;
///     } parts {
///         /// The world model.
///         world_model: WorldModelConfig, overrides WorldModelOverrides;
///     }
/// }
/// ```
///
/// Both structs read files in which the fields of a part are in the part's table, at the top level,
/// or in both places. They write them into the table. A field that is in both places is an error,
/// and so is an unknown field. In a format that people do not read, such as the messages of the
/// playground, the first struct is all its fields in order. With the feature `cli` the overrides are
/// flags for all fields of all parts, with the defaults in the help text; a field counts as given if
/// its flag was given.
#[macro_export]
macro_rules! fields {
    (
        $(#[$meta:meta])*
        pub struct $struct:ident, overrides $overrides:ident {
            $(
                $(#[doc = $doc:literal])+
                [$heading:literal] $(#[$extra:meta])*
                $name:ident: $ty:ty = $default:expr;
            )+
        }
        $(parts {
            $(
                $(#[doc = $part_doc:literal])+
                $part:ident: $part_struct:ident, overrides $part_overrides:ident;
            )+
        })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "cli", derive(clap::Args))]
        pub struct $struct {
            $(
                $(#[doc = $doc])+
                #[cfg_attr(feature = "cli", arg(long, help_heading = $heading, default_value_t = $struct::DEFAULT.$name))]
                $(#[$extra])*
                pub $name: $ty,
            )+
            $($(
                $(#[doc = $part_doc])+
                #[cfg_attr(feature = "cli", command(flatten))]
                pub $part: $part_struct,
            )+)?
        }

        impl $struct {
            /// The default values.
            pub const DEFAULT: Self = Self {
                $( $name: $default, )+
                $($( $part: $part_struct::DEFAULT, )+)?
            };
            /// Names of the parts, which are tables in a TOML file.
            pub const PARTS: &'static [&'static str] = &[$($( stringify!($part), )+)?];
            /// Names of all fields, including those of the parts, as written in a TOML file.
            pub const FIELDS: &'static [&'static str] = {
                const NAMES: [&str; $struct::FIELD_INFO.len()] =
                    $crate::support::names($struct::FIELD_INFO);
                &NAMES
            };
            /// All fields, including those of the parts, in the order of the struct.
            pub const FIELD_INFO: &'static [$crate::FieldInfo] = {
                const OWN: &[$crate::FieldInfo] = &[$(
                    $crate::FieldInfo::new(
                        stringify!($name),
                        $heading,
                        <$ty as $crate::FieldValue>::KIND,
                        &[$($doc),+],
                    ),
                )+];
                const PARTS: &[(&str, &[$crate::FieldInfo])] =
                    &[$($( (stringify!($part), $part_struct::FIELD_INFO), )+)?];
                const ALL: [$crate::FieldInfo; $crate::support::count(OWN, PARTS)] =
                    $crate::support::join(OWN, PARTS);
                &ALL
            };

            /// The value of a field as text; none if there is no such field.
            #[must_use]
            pub fn get(&self, field: &str) -> Option<String> {
                match field {
                    $( stringify!($name) => Some($crate::FieldValue::to_text(&self.$name)), )+
                    _ => None::<String>$($( .or_else(|| self.$part.get(field)) )+)?,
                }
            }

            /// Sets a field from text. `validate` must check the range of the value afterwards,
            /// because ranges depend on other fields.
            ///
            /// # Errors
            /// If there is no such field or the text is not a value of its kind; nothing is changed
            /// then.
            pub fn set(&mut self, field: &str, text: &str) -> Result<(), $crate::SetError> {
                match field {
                    $(
                        stringify!($name) => {
                            self.$name = $crate::support::read_field(stringify!($name), text)?;
                        }
                    )+
                    $($(
                        _ if $part_struct::FIELDS.contains(&field) => {
                            self.$part.set(field, text)?;
                        }
                    )+)?
                    _ => return Err($crate::SetError::Unknown(field.to_owned())),
                }
                Ok(())
            }

            /// The overrides that give all fields these values.
            #[must_use]
            pub fn to_overrides(&self) -> $overrides {
                $overrides {
                    $( $name: Some(self.$name), )+
                    $($( $part: self.$part.to_overrides(), )+)?
                }
            }

            /// The same hyper-parameters, with the given fields replaced.
            #[must_use]
            pub fn with(&self, given: &$overrides) -> Self {
                Self {
                    $( $name: given.$name.unwrap_or(self.$name), )+
                    $($( $part: self.$part.with(&given.$part), )+)?
                }
            }
        }

        impl Default for $struct {
            fn default() -> Self {
                Self::DEFAULT
            }
        }

        impl serde::Serialize for $struct {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct as _;
                const LENGTH: usize = [$( stringify!($name), )+ $($( stringify!($part), )+)?].len();
                let mut out = serializer.serialize_struct(stringify!($struct), LENGTH)?;
                $( out.serialize_field(stringify!($name), &$crate::support::Written(self.$name))?; )+
                // The parts come last, because in TOML no top-level field can follow a table.
                $($( out.serialize_field(stringify!($part), &self.$part)?; )+)?
                out.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $struct {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if !deserializer.is_human_readable() {
                    #[derive(serde::Deserialize)]
                    struct All {
                        $( $name: $ty, )+
                        $($( $part: $part_struct, )+)?
                    }
                    let All { $( $name, )+ $($( $part, )+)? } =
                        serde::Deserialize::deserialize(deserializer)?;
                    return Ok(Self { $( $name, )+ $($( $part, )+)? });
                }
                let given = <$overrides as serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::DEFAULT.with(&given))
            }
        }

        #[doc = concat!("The fields of a [`", stringify!($struct), "`] that were given by a file or by flags; others are `None`.")]
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $overrides {
            $(
                $(#[doc = $doc])+
                pub $name: Option<$ty>,
            )+
            $($(
                $(#[doc = $part_doc])+
                pub $part: $part_overrides,
            )+)?
        }

        impl $overrides {
            /// The given value of a field as text; none if it was not given or there is no such
            /// field.
            #[must_use]
            pub fn get(&self, field: &str) -> Option<String> {
                match field {
                    $( stringify!($name) => self.$name.as_ref().map($crate::FieldValue::to_text), )+
                    _ => None::<String>$($( .or_else(|| self.$part.get(field)) )+)?,
                }
            }

            /// Sets a field from text, so that it counts as given.
            ///
            /// # Errors
            /// If there is no such field or the text is not a value of its kind; nothing is changed
            /// then.
            pub fn set(&mut self, field: &str, text: &str) -> Result<(), $crate::SetError> {
                match field {
                    $(
                        stringify!($name) => {
                            self.$name = Some($crate::support::read_field(stringify!($name), text)?);
                        }
                    )+
                    $($(
                        _ if $part_struct::FIELDS.contains(&field) => {
                            self.$part.set(field, text)?;
                        }
                    )+)?
                    _ => return Err($crate::SetError::Unknown(field.to_owned())),
                }
                Ok(())
            }

            /// Whether a field was given.
            #[must_use]
            pub fn is_given(&self, field: &str) -> bool {
                self.get(field).is_some()
            }

            /// Names of the fields that were given, in the order of the struct.
            pub fn given(&self) -> impl Iterator<Item = &'static str> {
                $struct::FIELDS.iter().copied().filter(|field| self.is_given(field))
            }

            /// Whether nothing was given.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.given().next().is_none()
            }

            /// The fields given in either; if both give a field, the value of `later` is used.
            #[must_use]
            pub fn with(&self, later: &Self) -> Self {
                Self {
                    $( $name: later.$name.or(self.$name), )+
                    $($( $part: self.$part.with(&later.$part), )+)?
                }
            }
        }

        impl serde::Serialize for $overrides {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let own = [$( self.$name.is_some(), )+ $($( !self.$part.is_empty(), )+)?];
                let length = own.into_iter().filter(|given| *given).count();
                let mut out = serializer.serialize_map(Some(length))?;
                $(
                    if let Some(value) = self.$name {
                        out.serialize_entry(stringify!($name), &$crate::support::Written(value))?;
                    }
                )+
                $($(
                    if !self.$part.is_empty() {
                        out.serialize_entry(stringify!($part), &self.$part)?;
                    }
                )+)?
                out.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $overrides {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map($crate::support::OverridesVisitor::<Self>::new())
            }
        }

        impl $crate::support::ReadEntries for $overrides {
            const PARTS: &'static [&'static str] = $struct::PARTS;
            const FIELDS: &'static [&'static str] = $struct::FIELDS;

            fn read_entry<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                key: &'static str,
                map: &mut A,
            ) -> Result<(), A::Error> {
                match key {
                    $( stringify!($name) => $crate::support::read_value(&mut self.$name, key, map), )+
                    $($(
                        stringify!($part) => {
                            let table: $part_overrides = map.next_value()?;
                            for field in table.given() {
                                if self.$part.is_given(field) {
                                    return Err($crate::support::given_twice(field, stringify!($part)));
                                }
                            }
                            self.$part = self.$part.with(&table);
                            Ok(())
                        }
                    )+)?
                    $($(
                        _ if $part_struct::FIELDS.contains(&key) => {
                            if self.$part.is_given(key) {
                                return Err($crate::support::given_twice(key, stringify!($part)));
                            }
                            $crate::support::ReadEntries::read_entry(&mut self.$part, key, map)
                        }
                    )+)?
                    _ => Err($crate::support::unknown::<Self, A::Error>(key)),
                }
            }
        }

        #[cfg(feature = "cli")]
        impl clap::FromArgMatches for $overrides {
            fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
                Ok(Self {
                    $( $name: $crate::support::flag_value(matches, stringify!($name)), )+
                    $($( $part: clap::FromArgMatches::from_arg_matches(matches)?, )+)?
                })
            }

            fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
                *self = self.with(&<Self as clap::FromArgMatches>::from_arg_matches(matches)?);
                Ok(())
            }
        }

        #[cfg(feature = "cli")]
        impl clap::Args for $overrides {
            fn group_id() -> Option<clap::Id> {
                <$struct as clap::Args>::group_id()
            }

            fn augment_args(command: clap::Command) -> clap::Command {
                Self::spellings(<$struct as clap::Args>::augment_args(command))
            }

            fn augment_args_for_update(command: clap::Command) -> clap::Command {
                Self::spellings(<$struct as clap::Args>::augment_args_for_update(command))
            }
        }

        #[cfg(feature = "cli")]
        impl $overrides {
            /// The command, whose flags accept all spellings of their values.
            #[doc(hidden)]
            #[must_use]
            pub fn spellings(command: clap::Command) -> clap::Command {
                $( let command = command.mut_arg(stringify!($name), $crate::flags::spelled::<$ty>); )+
                $($( let command = <$part_overrides>::spellings(command); )+)?
                command
            }
        }
    };
}
