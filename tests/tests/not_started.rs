//! Where no tracer runs, what an attribute asks for is not evaluated. No other test may start one in this process.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::future::{self, Future};

use dd_traced::{SpanContext, traced};
use dd_traced_tests::ready;

fn refuse() -> Option<SpanContext> {
    panic!("evaluated without a tracer")
}

struct Silent;

impl std::fmt::Display for Silent {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("shown without a tracer")
    }
}

#[traced(tags(none = refuse().is_none()))]
fn tagged() -> u8 {
    1
}

#[traced(root, resource = refuse().map_or("", |_| ""))]
fn root() -> u8 {
    2
}

#[traced(parent = refuse())]
fn child() -> Result<u8, Silent> {
    Err(Silent)
}

#[traced(links(refuse()), ret)]
async fn linked() -> Silent {
    future::ready(Silent).await
}

#[traced(parent = refuse(), links(refuse()), ret)]
fn later() -> impl Future<Output = Result<Silent, Silent>> {
    future::ready(Err(Silent))
}

#[test]
fn nothing_is_evaluated() {
    assert_eq!((tagged(), root()), (1, 2));
    assert!(child().is_err());
    let Silent = ready(linked());
    assert!(ready(later()).is_err());
}
