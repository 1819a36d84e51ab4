//! What the code that [`fields!`](crate::fields) and [`choices!`](crate::choices) make calls. Nobody else does,
//! except for [`Flat`].

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};

use crate::{ConfigError, FieldInfo, FieldKind, FieldValue};

/// The value of a text.
///
/// # Errors
/// If the text is no value of that kind.
pub fn read_field<T: FieldValue>(field: &'static str, text: &str) -> Result<T, ConfigError> {
    T::from_text(text.trim()).ok_or_else(|| ConfigError {
        field,
        value: format!("{text:?}"),
        allowed: T::ALLOWED,
    })
}

/// A text of one byte less.
#[must_use]
pub const fn without_last(text: &'static str) -> &'static str {
    text.split_at(text.len() - 1).0
}

/// Number of fields of a struct, those of its parts included.
#[must_use]
pub const fn count(own: &[FieldInfo], parts: &[(&str, &[FieldInfo])]) -> usize {
    let mut count = own.len();
    let mut part = 0;
    while part < parts.len() {
        count += parts[part].1.len();
        part += 1;
    }
    count
}

/// All fields of a struct, those of its parts last.
///
/// # Panics
/// While compiling, if two fields have one name, or a field the name of a part.
#[must_use]
pub const fn join<const N: usize>(
    own: &[FieldInfo],
    parts: &[(&'static str, &[FieldInfo])],
) -> [FieldInfo; N] {
    let mut all = [FieldInfo::new("", "", FieldKind::Flag, &[]); N];
    let mut at = 0;
    while at < own.len() {
        all[at] = own[at];
        at += 1;
    }
    let mut part = 0;
    while part < parts.len() {
        let (name, fields) = parts[part];
        let mut field = 0;
        while field < fields.len() {
            all[at] = fields[field];
            all[at].part = Some(name);
            at += 1;
            field += 1;
        }
        part += 1;
    }
    let mut first = 0;
    while first < N {
        let mut other = first + 1;
        while other < N {
            assert!(!equal(all[first].name, all[other].name), "two fields have the same name");
            other += 1;
        }
        let mut part = 0;
        while part < parts.len() {
            assert!(!equal(all[first].name, parts[part].0), "a field has the name of a part");
            part += 1;
        }
        first += 1;
    }
    all
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The names of fields.
#[must_use]
pub const fn names<const N: usize>(fields: &[FieldInfo]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = fields[at].name;
        at += 1;
    }
    names
}

/// A value as [`FieldValue::write`] writes it.
#[derive(Debug)]
pub struct Written<T>(pub T);

impl<T: FieldValue> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// All fields of a struct of options on one level, in their order, as a value that can be serialised.
#[derive(Clone, Debug)]
pub struct Flat(Vec<(FieldInfo, String)>);

impl Flat {
    /// The fields that `value` has a text for.
    pub fn new(fields: &[FieldInfo], value: impl Fn(&str) -> Option<String>) -> Self {
        Self(fields.iter().filter_map(|field| Some((*field, value(field.name)?))).collect())
    }
}

impl Serialize for Flat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map(self.0.iter().map(|(field, text)| (field.name, Typed(field.kind, text))))
    }
}

/// A text as a value of its kind.
struct Typed<'a>(FieldKind, &'a str);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(kind, text) = self;
        match kind {
            FieldKind::Flag => bool::from_text(text).serialize(serializer),
            FieldKind::Whole => u64::from_text(text).serialize(serializer),
            FieldKind::Real => f64::from_text(text).serialize(serializer),
            FieldKind::Choice(_) => text.serialize(serializer),
        }
    }
}

/// A struct of overrides, read entry by entry.
pub trait ReadEntries: Default {
    /// Names of its parts.
    const PARTS: &'static [&'static str];
    /// Names of its fields, those of the parts included.
    const FIELDS: &'static [&'static str];

    /// Reads the value of a key, which is one of the names above.
    ///
    /// # Errors
    /// If the value is not one of the field's type, or was read before.
    fn read_entry<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error>;
}

/// Reads a table of fields and of parts.
#[derive(Debug)]
pub struct OverridesVisitor<T>(PhantomData<T>);

impl<T> OverridesVisitor<T> {
    /// One that gives a `T`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "made by a macro only")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: ReadEntries> Visitor<'de> for OverridesVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of hyper-parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut overrides = T::default();
        while let Some(key) = map.next_key_seed(Key::<T>(PhantomData))? {
            overrides.read_entry(key, &mut map)?;
        }
        Ok(overrides)
    }
}

/// The name of a field or part. It is judged while it is read, so that formats which know where a key stands
/// can say where the unknown one does.
struct Key<T>(PhantomData<T>);

impl<'de, T: ReadEntries> DeserializeSeed<'de> for Key<T> {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T: ReadEntries> Visitor<'_> for Key<T> {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a hyper-parameter")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<&'static str, E> {
        let mut names = T::FIELDS.iter().chain(T::PARTS);
        names.find(|name| **name == key).copied().ok_or_else(|| unknown::<T, E>(key))
    }
}

/// The error of a key that is no field.
pub fn unknown<T: ReadEntries, E: Error>(key: &str) -> E {
    E::unknown_field(key, T::FIELDS)
}

/// The error of a field that stands in its table and at the top level.
pub fn given_twice<E: Error>(field: &str, part: &str) -> E {
    E::custom(format!(
        "`{field}` is given both at the top level and in the table [{part}]; keep one of the two"
    ))
}

/// Reads a value that was not read before.
///
/// # Errors
/// If it was, or is not one of the field's type.
pub fn read_value<'de, T: FieldValue, A: MapAccess<'de>>(
    value: &mut Option<T>,
    field: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if value.is_some() {
        return Err(A::Error::duplicate_field(field));
    }
    *value = Some(map.next_value()?);
    Ok(())
}

/// The value of a flag, if it was given on the command line; its default is none that was given.
#[cfg(feature = "cli")]
#[must_use]
pub fn flag_value<T: Clone + Send + Sync + 'static>(
    matches: &clap::ArgMatches,
    flag: &str,
) -> Option<T> {
    let given = matches.value_source(flag) == Some(clap::parser::ValueSource::CommandLine);
    given.then(|| matches.get_one(flag).cloned()).flatten()
}
