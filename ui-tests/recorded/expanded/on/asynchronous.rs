//! Asynchronous functions: the body is a future within the function's own.
use std::future::ready;
use dd_traced::traced;
use crate::error::OrderError;
/// Without a value.
pub async fn unit(name: &str) {
    return ::dd_traced::macro_support::async_span(const {
            &::dd_traced::macro_support::CallSite::function("shop::asynchronous", "unit")
        })
        .run(async move {
            if false {
                return;
            }
            if name.is_empty() {
                return;
            }
            ready(()).await;
        })
        .await;
}
/// With a value.
pub async fn value(id: u64) -> u64 {
    return ::dd_traced::macro_support::async_span(const {
            &::dd_traced::macro_support::CallSite::function(
                "shop::asynchronous",
                "value",
            )
        })
        .run(async move {
            if false {
                return ::dd_traced::macro_support::returns::<u64>();
            }
            ready(id).await
        })
        .await;
}
/// With errors.
pub async fn load(id: u64) -> Result<u64, OrderError> {
    return ::dd_traced::macro_support::async_span(const {
            &::dd_traced::macro_support::CallSite::function("shop::asynchronous", "load")
        })
        .run(async move {
            if false {
                return ::dd_traced::macro_support::returns::<Result<u64, OrderError>>();
            }
            ready(id).await.checked_sub(1).ok_or(OrderError)
        })
        .on_return(|ret| {
            ::dd_traced::macro_support::probe(ret, true).__dd_describe()
        })
        .await;
}
/// With errors and tags.
pub async fn tags(id: u64, name: String) -> Result<String, OrderError> {
    return ::dd_traced::macro_support::async_span(const {
            &::dd_traced::macro_support::CallSite::function("shop::asynchronous", "tags")
        })
        .tags(|tags| tags.tag("id", &id).display("name", &name))
        .run(async move {
            if false {
                return ::dd_traced::macro_support::returns::<
                    Result<String, OrderError>,
                >();
            }
            if id == 0 {
                return Err(OrderError);
            }
            Ok(ready(name).await)
        })
        .on_return(|ret| {
            ::dd_traced::macro_support::probe(ret, true).__dd_describe()
        })
        .await;
}
/// No look at errors.
pub async fn silent(id: u64) -> Result<u64, OrderError> {
    return ::dd_traced::macro_support::async_span(const {
            &::dd_traced::macro_support::CallSite::function(
                "shop::asynchronous",
                "silent",
            )
        })
        .run(async move {
            if false {
                return ::dd_traced::macro_support::returns::<Result<u64, OrderError>>();
            }
            ready(id).await.checked_sub(1).ok_or(OrderError)
        })
        .await;
}
/// Items in the body.
pub async fn items(id: u64) -> u64 {
    return ::dd_traced::macro_support::async_span(const {
            &::dd_traced::macro_support::CallSite::function(
                "shop::asynchronous",
                "items",
            )
        })
        .run(async move {
            if false {
                return ::dd_traced::macro_support::returns::<u64>();
            }
            {
                use std::cmp::max;
                max(ready(id).await, 1)
            }
        })
        .await;
}
/// Never comes back.
pub async fn never() -> ! {
    ::dd_traced::macro_support::async_span(const {
            &::dd_traced::macro_support::CallSite::function(
                "shop::asynchronous",
                "never",
            )
        })
        .run(async move {
            ready(()).await;
            std::process::exit(1)
        })
        .await;
    ::dd_traced::macro_support::never()
}
