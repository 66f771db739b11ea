//! When locals and arguments drop.

#![expect(clippy::needless_pass_by_value, reason = "arguments are there to be dropped")]

use std::cell::RefCell;

use dd_traced::traced;

use crate::support::{Failed, pause, ready};

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Says when it drops.
struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

impl Noisy {
    fn name(&self) -> &'static str {
        self.0
    }
}

/// What `act` drops, in order.
fn dropped<T>(act: impl FnOnce() -> T) -> Vec<&'static str> {
    act();
    DROPPED.take()
}

/// The same function with the attribute and without it.
macro_rules! pair {
    ($($function:tt)*) => {
        mod annotated {
            use super::*;
            #[traced]
            pub(super) $($function)*
        }
        mod bare {
            use super::*;
            pub(super) $($function)*
        }
    };
}

mod plain {
    use super::{Noisy, dropped, traced};

    pair! {
        fn function(_first: Noisy, _: Noisy, (_second, _): (Noisy, Noisy)) -> usize {
            let _local = Noisy("local");
            let _other = Noisy("other");
            Noisy("temporary").name().len()
        }
    }

    #[test]
    fn everything_drops_as_before() {
        let arguments = || (Noisy("first"), Noisy("ignored"), (Noisy("second"), Noisy("rest")));
        let call = |f: fn(Noisy, Noisy, (Noisy, Noisy)) -> usize| {
            let (a, b, c) = arguments();
            dropped(|| f(a, b, c))
        };
        assert_eq!(call(annotated::function), call(bare::function));
    }
}

mod fallible {
    use super::{Failed, Noisy, dropped, traced};

    pair! {
        fn locals(fail: bool) -> Result<usize, Failed> {
            let _local = Noisy("local");
            let other = Noisy("other");
            if fail {
                return Err(Failed("asked to"));
            }
            Ok(other.name().len() + Noisy("temporary").name().len())
        }
    }

    #[test]
    fn locals_drop_as_before() {
        for fail in [true, false] {
            let call = |f: fn(bool) -> Result<usize, Failed>| dropped(|| f(fail));
            assert_eq!(call(annotated::locals), call(bare::locals));
        }
    }

    #[traced]
    fn borrowed(first: Noisy, second: Noisy) -> Result<usize, Failed> {
        let _local = Noisy("local");
        Ok(first.name().len() + second.name().len())
    }

    #[traced]
    fn taken(first: Noisy, second: Noisy) -> Result<usize, Failed> {
        let _local = Noisy("local");
        let length = second.name().len();
        let _taken = first;
        Ok(length)
    }

    #[test]
    fn arguments_that_the_body_borrows_drop_as_before() {
        let order = dropped(|| borrowed(Noisy("first"), Noisy("second")));
        assert_eq!(order, ["local", "second", "first"]);
    }

    #[test]
    fn arguments_that_the_body_takes_drop_before_the_others() {
        let order = dropped(|| taken(Noisy("first"), Noisy("second")));
        assert_eq!(order, ["first", "local", "second"]);
    }
}

mod asynchronous {
    use super::{Failed, Noisy, dropped, pause, ready, traced};

    pair! {
        async fn locals(fail: bool) -> Result<usize, Failed> {
            let _local = Noisy("local");
            let other = Noisy("other");
            pause().await;
            if fail {
                return Err(Failed("asked to"));
            }
            Ok(other.name().len() + Noisy("temporary").name().len())
        }
    }

    #[test]
    fn locals_drop_as_before() {
        for fail in [true, false] {
            let annotated = dropped(|| ready(annotated::locals(fail)));
            assert_eq!(annotated, dropped(|| ready(bare::locals(fail))));
        }
    }

    #[traced]
    async fn arguments(first: Noisy, _unused: Noisy, _: Noisy) -> usize {
        let _local = Noisy("local");
        pause().await;
        first.name().len()
    }

    #[test]
    fn arguments_that_the_body_names_drop_before_the_others() {
        let call = || arguments(Noisy("first"), Noisy("unused"), Noisy("ignored"));
        assert_eq!(dropped(|| ready(call())), ["local", "first", "ignored", "unused"]);
    }

    #[test]
    fn a_future_that_is_dropped_drops_what_it_holds() {
        let dropped = dropped(|| drop(arguments(Noisy("first"), Noisy("unused"), Noisy("ignored"))));
        assert_eq!(dropped.len(), 3);
    }
}

mod returned_futures {
    use std::future::Future;

    use super::{Noisy, dropped, pause, ready, traced};

    pair! {
        fn function(first: Noisy, second: Noisy, _unused: Noisy) -> impl Future<Output = usize> {
            let _local = Noisy("local");
            let length = first.name().len();
            async move {
                let _inside = Noisy("inside");
                pause().await;
                length + second.name().len()
            }
        }
    }

    #[test]
    fn everything_drops_as_before() {
        let arguments = || (Noisy("first"), Noisy("second"), Noisy("unused"));
        let (first, second, unused) = arguments();
        let annotated = dropped(|| ready(annotated::function(first, second, unused)));
        let (first, second, unused) = arguments();
        assert_eq!(annotated, dropped(|| ready(bare::function(first, second, unused))));
    }
}

mod temporaries {
    use super::{Noisy, RefCell, dropped, traced};

    pair! {
        fn tail(cell: &RefCell<Vec<u8>>) -> usize {
            let _local = Noisy("local");
            cell.borrow().len() + Noisy("tail").name().len()
        }
    }

    #[test]
    fn those_of_the_last_expression_drop_as_their_edition_says() {
        let cell = RefCell::new(vec![]);
        let order_of = |f: fn(&RefCell<Vec<u8>>) -> usize| dropped(|| f(&cell));
        assert_eq!(order_of(annotated::tail), order_of(bare::tail));
        let is_2021 = env!("CARGO_PKG_NAME").ends_with("2021");
        let order = if is_2021 { ["local", "tail"] } else { ["tail", "local"] };
        assert_eq!(order_of(bare::tail), order);
    }
}
