//! Futures grow by the wrapper only.

use std::future::Future;

use dd_traced::traced;

use crate::support::{Failed, pause};

macro_rules! pairs {
    ($($name:ident $function:tt)*) => {
        mod annotated {
            use super::{Failed, pause, traced};
            $(pairs!(@ #[traced] $name $function);)*
        }
        mod bare {
            use super::{Failed, pause};
            $(pairs!(@ $name $function);)*
        }
    };
    (@ $(#[$attribute:meta])? $name:ident { ($($argument:ident: $type:ty)?) -> $ret:ty $body:block }) => {
        $(#[$attribute])?
        pub(super) async fn $name($($argument: $type)?) -> $ret $body
    };
}

pairs! {
    plain { () -> () { pause().await } }
    holds { () -> u8 {
        let held = [1_u8; 1000];
        pause().await;
        held[0]
    } }
    borrows { (values: &[u8; 1000]) -> u8 {
        pause().await;
        values[0]
    } }
    takes { (values: [u8; 1000]) -> u8 {
        pause().await;
        values[0]
    } }
    fallible { (values: &[u8; 1000]) -> Result<u8, Failed> {
        pause().await;
        values.first().copied().ok_or(Failed("empty"))
    } }
    takes_or_fails { (values: [u8; 1000]) -> Result<u8, Failed> {
        pause().await;
        values.first().copied().ok_or(Failed("empty"))
    } }
}

#[traced]
fn returned() -> impl Future<Output = u8> {
    async {
        let held = [1_u8; 1000];
        pause().await;
        held[0]
    }
}

/// The wrapper: its span between polls and its state.
const WRAPPER: usize = 48;

#[test]
fn a_future_grows_by_the_wrapper_only() {
    let size = |annotated: usize, bare: usize| (annotated, annotated <= bare + WRAPPER);
    let values = [1; 1000];
    let sizes = [
        ("plain", size_of_val(&annotated::plain()), size_of_val(&bare::plain())),
        ("holds", size_of_val(&annotated::holds()), size_of_val(&bare::holds())),
        ("returned", size_of_val(&returned()), size_of_val(&bare::holds())),
        ("borrows", size_of_val(&annotated::borrows(&values)), size_of_val(&bare::borrows(&values))),
        ("takes", size_of_val(&annotated::takes(values)), size_of_val(&bare::takes(values))),
        ("fallible", size_of_val(&annotated::fallible(&values)), size_of_val(&bare::fallible(&values))),
        (
            "takes_or_fails",
            size_of_val(&annotated::takes_or_fails(values)),
            size_of_val(&bare::takes_or_fails(values)),
        ),
    ];
    let large: Vec<_> = sizes.iter().filter(|(_, annotated, bare)| !size(*annotated, *bare).1).collect();
    assert!(large.is_empty(), "{large:?} of {sizes:?}");
}
