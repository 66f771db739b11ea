//! Synchronous functions without errors: a guard in front of the statements.
use std::panic::Location;
use dd_traced::{SpanContext, traced};
/// Without arguments.
pub fn area(width: u32, height: u32) -> u32 {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::plain", "area")
        })
        .enter();
    width * height
}
/// A name of its own.
pub fn named(orders: &[u64]) -> usize {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::named("order.count")
        })
        .enter();
    orders.len()
}
/// Everything that the call site knows before the program runs.
pub fn constants(id: u64) -> u64 {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::named("order.page")
                .service("shop")
                .resource("GET /orders/{id}")
                .span_type("web")
                .measured(true)
        })
        .enter();
    id
}
/// One tag.
pub fn one_tag(id: u64) -> u64 {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::plain", "one_tag")
        })
        .tags(|tags| tags.tag("id", &id))
        .enter();
    id
}
/// Tags of each kind.
pub fn tags(user: &str, items: &[u64], price: f64) -> usize {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::plain", "tags")
                .tags(&[("http.route", "/orders")])
        })
        .tags(|tags| {
            tags.tag("user", &user)
                .debug("items", &items)
                .display("price", &price)
                .tag("order.count", items.len())
        })
        .enter();
    user.len() + items.len() + price.to_string().len()
}
/// What is computed from the arguments.
pub fn computed(method: &str, path: &str) -> usize {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::plain", "computed")
                .tags(&[("span.kind", "server")])
        })
        .tags(|tags| {
            tags.resource(
                ::alloc::__export::must_use({
                    ::alloc::fmt::format(format_args!("{0} {1}", method, path))
                }),
            )
        })
        .enter();
    method.len() + path.len()
}
/// A tag of an argument that is not always there.
pub fn conditional(always: u8, sometimes: u8) -> u8 {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::plain", "conditional")
        })
        .tags(|tags| {
            let tags = tags.tag("always", &always);
            let tags = tags.tag("sometimes", &sometimes);
            tags
        })
        .enter();
    always + sometimes
}
/// Items in the body.
pub fn items(price: u32) -> u32 {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::plain", "items")
        })
        .enter();
    {
        const TAX: u32 = 19;
        fn with_tax(price: u32) -> u32 {
            price + price * TAX / 100
        }
        with_tax(price)
    }
}
/// An inner attribute.
pub fn inner_attribute(price: u32) -> u32 {
    #![expect(clippy::identity_op, reason = "inner attributes stay in front")]
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function(
                "shop::plain",
                "inner_attribute",
            )
        })
        .enter();
    price + 0
}
/// Never comes back.
pub fn never() -> ! {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::plain", "never")
        })
        .enter();
    std::process::exit(1)
}
/// Has the caller that it has without the attribute.
#[track_caller]
pub fn caller(fail: bool) -> Result<u32, String> {
    let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function("shop::plain", "caller")
        })
        .enter();
    if fail { Err("no line".to_owned()) } else { Ok(Location::caller().line()) }
}
/// A trace of its own.
pub fn root(first: &SpanContext) -> bool {
    let _span = ::dd_traced::macro_support::owned_span(const {
            &::dd_traced::macro_support::CallSite::named("order.batch")
        })
        .tags(|tags| tags.link(&first).root())
        .enter();
    first.is_remote()
}
