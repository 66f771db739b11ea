//! Synchronous functions whose errors are seen: the body is a closure.
use dd_traced::traced;
use crate::error::{OrderError, Outcome};
/// Without arguments.
pub fn load(id: u64) -> Result<String, OrderError> {
    return ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "load")
        })
        .in_scope(
            || -> Result<String, OrderError> {
                let order = id.checked_sub(1).ok_or(OrderError)?;
                Ok(order.to_string())
            },
            |ret| {
                use ::dd_traced::macro_support::describe::traits::*;
                (&&&&&&&::dd_traced::macro_support::describe::Probe(ret)).__dd_describe()
            },
        );
}
/// Tags.
pub fn tags(id: u64, name: &str) -> Result<String, OrderError> {
    return ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "tags")
        })
        .tags(|tags| tags.tag("id", &id).display("name", &name))
        .enter()
        .in_scope(
            || -> Result<String, OrderError> {
                if id == 0 {
                    return Err(OrderError);
                }
                Ok(name.to_owned())
            },
            |ret| {
                use ::dd_traced::macro_support::describe::traits::*;
                (&&&&&&&::dd_traced::macro_support::describe::Probe(ret)).__dd_describe()
            },
        );
}
/// A type that cannot be named.
pub fn hidden(
    orders: &[u64],
) -> Result<impl Iterator<Item = &u64> + '_, Box<dyn std::error::Error>> {
    return ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "hidden")
        })
        .in_scope(
            || -> Result<_, Box<dyn std::error::Error>> {
                if orders.is_empty() {
                    return Err(Box::new(OrderError));
                }
                Ok(orders.iter())
            },
            |ret| {
                use ::dd_traced::macro_support::describe::traits::*;
                (&&&&&&&::dd_traced::macro_support::describe::Probe(ret)).__dd_describe()
            },
        );
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
    return ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "display")
        })
        .in_scope(
            || -> Outcome<u64> { id.checked_sub(1).ok_or(OrderError) },
            |ret| {
                use ::dd_traced::macro_support::describe::NoError as _;
                ::dd_traced::macro_support::describe::Probe(ret).__dd_display()
            },
        );
}
/// Errors by their debug text.
pub fn debug(id: u64) -> Outcome<u64> {
    return ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "debug")
        })
        .in_scope(
            || -> Outcome<u64> { id.checked_sub(1).ok_or(OrderError) },
            |ret| {
                use ::dd_traced::macro_support::describe::NoError as _;
                ::dd_traced::macro_support::describe::Probe(ret).__dd_debug()
            },
        );
}
/// Errors that a function finds.
pub fn mapped(path: &str) -> u16 {
    return ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "mapped")
        })
        .in_scope(
            || -> u16 { if path.is_empty() { 500 } else { 200 } },
            |ret| {
                use ::dd_traced::macro_support::describe::traits::*;
                (&&&&&&&::dd_traced::macro_support::describe::Probe(
                    &::dd_traced::macro_support::mapped(
                        ret,
                        |status| (*status >= 500).then_some("server error"),
                    ),
                ))
                    .__dd_describe()
            },
        );
}
/// The value, and errors.
pub fn shown(id: u64) -> Result<u64, OrderError> {
    return ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::fallible", "shown")
        })
        .in_scope(
            || -> Result<u64, OrderError> { id.checked_sub(1).ok_or(OrderError) },
            |ret| (
                {
                    use ::dd_traced::macro_support::describe::traits::*;
                    (&&&&&&&::dd_traced::macro_support::describe::Probe(ret))
                        .__dd_describe()
                },
                {
                    use ::dd_traced::macro_support::Plain as _;
                    ::dd_traced::macro_support::Shown(ret).__dd_debug()
                },
            ),
        );
}
