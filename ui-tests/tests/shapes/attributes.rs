//! Attributes and documentation before, after and inside.

use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

/// Documentation before.
#[traced]
/// Documentation after.
#[inline]
#[must_use]
fn documented() -> u8 {
    1
}

#[must_use = "for a reason"]
#[traced("attributes.fallible")]
#[cold]
#[inline(never)]
fn around() -> Result<u8, Failed> {
    Ok(2)
}

/** A block of documentation. */
#[traced]
fn block_comment() -> u8 {
    3
}

#[traced]
fn inner() -> u8 {
    //! An inner doc comment.
    #![expect(clippy::identity_op, reason = "shows that inner attributes stay in front")]
    1 + 0
}

#[traced]
fn fallible_inner() -> Result<u8, Failed> {
    #![expect(clippy::identity_op, reason = "shows that inner attributes stay in front")]
    //! An inner doc comment.
    Ok(1 + 0)
}

#[traced]
async fn async_inner() -> Result<u8, Failed> {
    #![expect(clippy::identity_op, reason = "shows that inner attributes stay in front")]
    pause().await;
    Ok(1 + 0)
}

#[traced]
#[expect(clippy::needless_pass_by_value, reason = "shows that attributes stay")]
fn outer_expectation(text: String) -> usize {
    text.len()
}

#[expect(clippy::needless_pass_by_value, reason = "shows that attributes stay")]
#[traced]
fn fallible_outer_expectation(text: String) -> Result<u8, Failed> {
    text.bytes().next().ok_or(Failed("empty"))
}

#[cfg(test)]
#[traced]
fn configured() -> u8 {
    1
}

#[cfg(not(test))]
#[traced]
fn configured() -> u8 {
    2
}

#[cfg_attr(test, traced)]
fn conditionally() -> u8 {
    1
}

#[traced]
#[deprecated = "shows that attributes stay"]
fn outdated() -> u8 {
    1
}

#[traced]
fn items_first(x: u8) -> u8 {
    const FACTOR: u8 = 2;
    fn twice(x: u8) -> u8 {
        x * FACTOR
    }
    twice(x)
}

#[traced]
fn items_of_each_kind(x: u8) -> Result<u8, Failed> {
    use std::cmp::max;
    static LIMIT: u8 = 9;
    type Number = u8;
    #[derive(Clone, Copy)]
    struct Held(Number);
    enum Side {
        Left(Held),
    }
    trait Value {
        fn value(self) -> Number;
    }
    impl Value for Side {
        fn value(self) -> Number {
            let Self::Left(held) = self;
            held.0
        }
    }
    mod inside {
        pub(super) const ONE: u8 = 1;
    }
    macro_rules! add {
        ($a:expr, $b:expr) => {
            $a + $b
        };
    }
    let found = Side::Left(Held(x)).value();
    if found > LIMIT { Err(Failed("limit")) } else { Ok(add!(max(found, 1), inside::ONE)) }
}

#[traced]
async fn async_items(x: u8) -> u8 {
    use std::future::ready;
    fn twice(x: u8) -> u8 {
        x * 2
    }
    twice(ready(x).await)
}

#[traced]
fn statement_attributes(x: u8) -> u8 {
    #[expect(unused_variables, reason = "shows that attributes stay")]
    let nothing = 1;
    #[cfg(not(test))]
    let x = 0;
    #[cfg(test)]
    let x = x + 1;
    x
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(documented(), 1);
        assert_eq!(around(), Ok(2));
        assert_eq!(block_comment(), 3);
        assert_eq!(inner(), 1);
        assert_eq!((fallible_inner(), ready(async_inner())), (Ok(1), Ok(1)));
        assert_eq!(outer_expectation("a".to_owned()), 1);
        assert_eq!(fallible_outer_expectation("a".to_owned()), Ok(97));
        assert_eq!(configured(), 1);
        assert_eq!(conditionally(), 1);
        #[expect(deprecated, reason = "shows that attributes stay")]
        let outdated = outdated();
        assert_eq!(outdated, 1);
        assert_eq!(items_first(2), 4);
        assert_eq!(items_of_each_kind(2), Ok(3));
        assert_eq!(ready(async_items(2)), 4);
        assert_eq!(statement_attributes(1), 2);
    });
    assert_eq!(spans, 15);
}
