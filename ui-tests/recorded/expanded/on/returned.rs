//! Functions that are not asynchronous and return a future: the span is that of the future.
use std::future::{Future, ready};
use std::pin::Pin;
use dd_traced::traced;
use crate::error::OrderError;
/// Nothing but an `async` block.
pub fn block(id: u64) -> impl Future<Output = u64> {
    return ::dd_traced::macro_support::owned_span(const {
            &::dd_traced::macro_support::CallSite::function("shop::returned", "block")
        })
        .run(async move { ready(id).await });
}
/// Statements in front, errors and a tag.
pub fn statements(id: u64) -> impl Future<Output = Result<u64, OrderError>> + Send {
    return ::dd_traced::macro_support::owned_span(const {
            &::dd_traced::macro_support::CallSite::function(
                "shop::returned",
                "statements",
            )
        })
        .tags(|tags| tags.tag("id", &id))
        .run_fn(|| {
            let before = id.checked_sub(1);
            async move { ready(before).await.ok_or(OrderError) }
        })
        .on_return(|ret: &Result<u64, OrderError>| {
            ::dd_traced::macro_support::probe(ret, true).__dd_describe()
        });
}
/// A box, and nothing else.
pub fn boxed(id: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    return Box::pin(
        ::dd_traced::macro_support::owned_span(const {
                &::dd_traced::macro_support::CallSite::function(
                    "shop::returned",
                    "boxed",
                )
            })
            .run(async move { ready(id).await }),
    );
}
/// Boxes on several ways out.
pub fn early(name: &str) -> Pin<Box<dyn Future<Output = usize> + Send + '_>> {
    return ::dd_traced::macro_support::boxed(
        ::dd_traced::macro_support::owned_span(const {
                &::dd_traced::macro_support::CallSite::function(
                    "shop::returned",
                    "early",
                )
            })
            .run_fn(|| -> Pin<Box<dyn Future<Output = usize> + Send + '_>> {
                if name.is_empty() {
                    return Box::pin(ready(0));
                }
                Box::pin(async move { ready(name.len()).await })
            }),
    );
}
