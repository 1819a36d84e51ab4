//! The macro that defines the enums of hyper-parameters with named values.

/// Defines the enum of a field, with its names in files and flags and the documentation of each
/// variant.
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
            /// All variants, in the order of the enum.
            pub const ALL: [Self; [$($text),+].len()] = [$( Self::$variant ),+];
            /// The names of all variants, separated by commas, as for a flag that accepts several
            /// of them.
            pub const NAMES: &'static str = $crate::support::without_last(concat!($($text, ","),+));

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
                Self::ALL.into_iter().find(|choice| choice.name() == text)
            }
        }
    )+};
}
