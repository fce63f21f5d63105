//! A method for each field of what a program sets, since none outside can write such a value down: fields are added.

/// Expands to methods that give the same value with another field.
macro_rules! with_each {
    ($settings:ident; $($name:ident: $type:ty => $with:ident;)*) => {
        impl $settings {
            $(
                #[doc = concat!("The same with this [`", stringify!($name), "`](Self::", stringify!($name), ").")]
                #[must_use]
                pub fn $with(mut self, $name: $type) -> Self {
                    self.$name = $name;
                    self
                }
            )*
        }
    };
}
pub(crate) use with_each;
