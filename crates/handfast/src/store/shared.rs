//! A store behind an `Arc` is one, too.

use super::{BoxFuture, Store, StoreError};
use std::sync::Arc;

macro_rules! passed_on {
    ($($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl<S: Store + ?Sized> Store for Arc<S> {
            $(passed_on!(@ $kind $name($($argument: $type),*) -> $answer);)*
        }
    };
    (@ now $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name(&self, $($argument: $type),*) -> $answer {
            (**self).$name($($argument),*)
        }
    };
    (@ $kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
            (**self).$name($($argument),*)
        }
    };
}

crate::every_method_of_a_store!(passed_on);
