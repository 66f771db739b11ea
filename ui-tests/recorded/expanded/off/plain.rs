//! Synchronous functions without errors: a guard in front of the statements.
use std::panic::Location;
use dd_traced::{SpanContext, traced};
/// Without arguments.
pub fn area(width: u32, height: u32) -> u32 {
    width * height
}
/// A name of its own.
pub fn named(orders: &[u64]) -> usize {
    orders.len()
}
/// Everything that the call site knows before the program runs.
pub fn constants(id: u64) -> u64 {
    id
}
/// One tag.
pub fn one_tag(id: u64) -> u64 {
    id
}
/// Tags of each kind.
pub fn tags(user: &str, items: &[u64], price: f64) -> usize {
    user.len() + items.len() + price.to_string().len()
}
/// What is computed from the arguments.
pub fn computed(method: &str, path: &str) -> usize {
    method.len() + path.len()
}
/// A tag of an argument that is not always there.
pub fn conditional(always: u8, sometimes: u8) -> u8 {
    always + sometimes
}
/// Items in the body.
pub fn items(price: u32) -> u32 {
    const TAX: u32 = 19;
    fn with_tax(price: u32) -> u32 {
        price + price * TAX / 100
    }
    with_tax(price)
}
/// An inner attribute.
pub fn inner_attribute(price: u32) -> u32 {
    #![expect(clippy::identity_op, reason = "inner attributes stay in front")]
    price + 0
}
/// Never comes back.
pub fn never() -> ! {
    std::process::exit(1)
}
/// Has the caller that it has without the attribute.
#[track_caller]
pub fn caller(fail: bool) -> Result<u32, String> {
    if fail { Err("no line".to_owned()) } else { Ok(Location::caller().line()) }
}
/// A trace of its own.
pub fn root(first: &SpanContext) -> bool {
    first.is_remote()
}
