//! Enums that list their variants.

/// Defines an enum without fields whose `ALL` holds every variant, so that a new one can't be
/// missing from it.
macro_rules! listed_enum {
    ($(#[$attribute:meta])* pub enum $name:ident { $($(#[$of_variant:meta])* $variant:ident,)+ }) => {
        $(#[$attribute])*
        pub enum $name {
            $($(#[$of_variant])* $variant,)+
        }

        impl $name {
            /// Every variant, in the order of their declaration.
            pub const ALL: [Self; [$($name::$variant),+].len()] = [$($name::$variant),+];
        }
    };
}

pub(crate) use listed_enum;
