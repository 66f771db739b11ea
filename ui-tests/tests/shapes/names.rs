//! Names that a body, its generics or its module may take.

#![expect(clippy::used_underscore_binding, reason = "the names are those of generated code")]

use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

/// A module named like the crate, a macro and modules named like those of std.
mod own {
    #![expect(dead_code, unused_macros, reason = "they are there to be in the way")]

    use super::{Failed, pause, traced};

    mod dd_traced {}
    mod core {}
    mod std {}
    mod log {}
    struct Ok;
    struct Some;
    struct String;
    struct Box;
    struct Option;

    macro_rules! module_path {
        () => {
            compile_error!("the user's module_path")
        };
    }

    #[traced(tags(x))]
    pub(super) fn plain(x: u8) -> u8 {
        x
    }

    #[traced(tags(x, "k" = ?x))]
    pub(super) fn fallible(x: u8) -> Result<u8, Failed> {
        if x == 0 { Err(Failed("zero")) } else { Result::Ok(x) }
    }

    #[traced(tags(x))]
    pub(super) async fn asynchronous(x: u8) -> Result<u8, Failed> {
        pause().await;
        if x == 0 {
            return Err(Failed("zero"));
        }
        Result::Ok(x)
    }
}

mod globs {
    pub(super) type Result<T> = ::std::result::Result<T, super::Failed>;
    pub(super) const LIMIT: u8 = 3;
}

/// The type that is written outside of the body is not the one that is imported inside.
#[traced]
fn import_that_shadows(x: u8) -> Result<u8, Failed> {
    use globs::*;
    let found: Result<u8> = Ok(x);
    if x > LIMIT { Err(Failed("limit")) } else { found }
}

#[traced]
async fn async_import_that_shadows(x: u8) -> Result<u8, Failed> {
    use globs::*;
    let found: Result<u8> = Ok(x);
    pause().await;
    if x > LIMIT { Err(Failed("limit")) } else { found }
}

#[traced]
fn type_parameters_of_our_names<R, F, T, E>(r: R, _: F, _: T, _: E) -> Result<R, E> {
    Ok(r)
}

#[traced]
fn locals_of_our_names() -> Result<u8, Failed> {
    let (_span, ret, tags, span) = (1, 2, 3, 4);
    Ok(sum_of(_span, ret, tags, span))
}

fn sum_of(a: u8, b: u8, c: u8, d: u8) -> u8 {
    a + b + c + d
}

#[traced]
fn span(span: u8) -> u8 {
    span
}

#[traced]
fn enter() -> u8 {
    span(1)
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(
            (own::plain(1), own::fallible(1), ready(own::asynchronous(0))),
            (1, Ok(1), Err(Failed("zero")))
        );
        assert_eq!(
            (import_that_shadows(1), ready(async_import_that_shadows(4))),
            (Ok(1), Err(Failed("limit")))
        );
        assert_eq!(type_parameters_of_our_names::<_, _, _, ()>(1, 2, 3, ()), Ok(1));
        assert_eq!(locals_of_our_names(), Ok(10));
        assert_eq!(enter(), 1);
    });
    assert_eq!(spans, 9);
}
