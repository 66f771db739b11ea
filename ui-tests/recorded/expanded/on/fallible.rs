//! Synchronous functions whose errors are seen: the body is a closure.
use dd_traced::traced;
use crate::error::{OrderError, Outcome};
/// Without arguments.
pub fn load(id: u64) -> Result<String, OrderError> {
    let span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "load")
        })
        .enter();
    let ret = ::dd_traced::macro_support::in_scope(|| -> Result<String, OrderError> {
        let order = id.checked_sub(1).ok_or(OrderError)?;
        Ok(order.to_string())
    });
    span.found(
        ::dd_traced::macro_support::probe(&ret, span.is_recorded()).__dd_describe(),
    );
    return ret;
}
/// Tags.
pub fn tags(id: u64, name: &str) -> Result<String, OrderError> {
    let span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "tags")
        })
        .tags(|tags| tags.tag("id", &id).display("name", &name))
        .enter();
    let ret = ::dd_traced::macro_support::in_scope(|| -> Result<String, OrderError> {
        if id == 0 {
            return Err(OrderError);
        }
        Ok(name.to_owned())
    });
    span.found(
        ::dd_traced::macro_support::probe(&ret, span.is_recorded()).__dd_describe(),
    );
    return ret;
}
/// A type that cannot be named.
pub fn hidden(
    orders: &[u64],
) -> Result<impl Iterator<Item = &u64> + '_, Box<dyn std::error::Error>> {
    let span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "hidden")
        })
        .enter();
    let ret = ::dd_traced::macro_support::in_scope(|| -> Result<
        _,
        Box<dyn std::error::Error>,
    > {
        if orders.is_empty() {
            return Err(Box::new(OrderError));
        }
        Ok(orders.iter())
    });
    span.found(
        ::dd_traced::macro_support::probe(&ret, span.is_recorded()).__dd_describe(),
    );
    return ret;
}
/// No look at errors.
pub fn silent(id: u64) -> Result<u64, OrderError> {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "silent")
        })
        .enter();
    id.checked_sub(1).ok_or(OrderError)
}
/// Errors by their text, under a name that does not end in `Result`.
pub fn display(id: u64) -> Outcome<u64> {
    let span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "display")
        })
        .enter();
    let ret = ::dd_traced::macro_support::in_scope(|| -> Outcome<u64> {
        id.checked_sub(1).ok_or(OrderError)
    });
    span.found(
        ::dd_traced::macro_support::worded(&ret, span.is_recorded()).__dd_display(),
    );
    return ret;
}
/// Errors by their debug text.
pub fn debug(id: u64) -> Outcome<u64> {
    let span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "debug")
        })
        .enter();
    let ret = ::dd_traced::macro_support::in_scope(|| -> Outcome<u64> {
        id.checked_sub(1).ok_or(OrderError)
    });
    span.found(
        ::dd_traced::macro_support::worded(&ret, span.is_recorded()).__dd_debug(),
    );
    return ret;
}
/// Errors that a function finds.
pub fn mapped(path: &str) -> u16 {
    let span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "mapped")
        })
        .enter();
    let ret = ::dd_traced::macro_support::in_scope(|| -> u16 {
        if path.is_empty() { 500 } else { 200 }
    });
    span.found(
        ::dd_traced::macro_support::probe(
                &::dd_traced::macro_support::mapped(
                    &ret,
                    span.is_recorded(),
                    |status| (*status >= 500).then_some("server error"),
                ),
                true,
            )
            .__dd_describe(),
    );
    return ret;
}
/// The value, and errors.
pub fn shown(id: u64) -> Result<u64, OrderError> {
    let span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "shown")
        })
        .enter();
    let ret = ::dd_traced::macro_support::in_scope(|| -> Result<u64, OrderError> {
        id.checked_sub(1).ok_or(OrderError)
    });
    span.found((
        ::dd_traced::macro_support::probe(&ret, span.is_recorded()).__dd_describe(),
        ::dd_traced::macro_support::shown(&ret, span.is_recorded()).__dd_debug(),
    ));
    return ret;
}
