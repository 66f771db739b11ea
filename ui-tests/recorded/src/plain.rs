//! Synchronous functions without errors: a guard in front of the statements.

use std::panic::Location;

use dd_traced::{SpanContext, traced};

/// Without arguments.
#[traced]
pub fn area(width: u32, height: u32) -> u32 {
    width * height
}

/// A name of its own.
#[traced("order.count")]
pub fn named(orders: &[u64]) -> usize {
    orders.len()
}

/// Everything that the call site knows before the program runs.
#[traced(name = "order.page", service = "shop", resource = "GET /orders/{id}", type = "web", measured)]
pub fn constants(id: u64) -> u64 {
    id
}

/// One tag.
#[traced(tags(id))]
pub fn one_tag(id: u64) -> u64 {
    id
}

/// Tags of each kind.
#[traced(tags(user, ?items, %price, order.count = items.len(), "http.route" = "/orders"))]
pub fn tags(user: &str, items: &[u64], price: f64) -> usize {
    user.len() + items.len() + price.to_string().len()
}

/// What is computed from the arguments.
#[traced(resource = format!("{method} {path}"), kind = "server")]
pub fn computed(method: &str, path: &str) -> usize {
    method.len() + path.len()
}

/// A tag of an argument that is not always there.
#[traced(tags(always, sometimes))]
pub fn conditional(always: u8, #[cfg(not(windows))] sometimes: u8) -> u8 {
    always + sometimes
}

/// Items in the body.
#[traced]
pub fn items(price: u32) -> u32 {
    const TAX: u32 = 19;
    fn with_tax(price: u32) -> u32 {
        price + price * TAX / 100
    }
    with_tax(price)
}

/// An inner attribute.
#[traced]
pub fn inner_attribute(price: u32) -> u32 {
    #![expect(clippy::identity_op, reason = "inner attributes stay in front")]
    price + 0
}

/// Never comes back.
#[traced]
pub fn never() -> ! {
    std::process::exit(1)
}

/// Has the caller that it has without the attribute.
#[traced]
#[track_caller]
pub fn caller(fail: bool) -> Result<u32, String> {
    if fail { Err("no line".to_owned()) } else { Ok(Location::caller().line()) }
}

/// A trace of its own.
#[traced("order.batch", root, links(first))]
pub fn root(first: &SpanContext) -> bool {
    first.is_remote()
}
