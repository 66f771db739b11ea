//! Patterns, attributes and names in the place of arguments.

#![expect(clippy::used_underscore_binding, reason = "the names are those of generated code")]

use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

struct Id(u8);

struct Order {
    id: Id,
    count: u8,
}

#[traced]
fn patterns((a, _): (u8, u8), [c, ..]: [u8; 3], _: u8) -> u8 {
    a + c
}

#[traced]
fn nested_patterns(Order { id: Id(id), count }: Order, &(x, ref y): &(u8, [u8; 9])) -> u8 {
    id + count + x + y[0]
}

#[traced]
fn mutable_patterns((mut a, b): (u8, u8), mut list: Vec<u8>) -> Vec<u8> {
    a += b;
    list.push(a);
    list
}

#[traced]
fn fallible_patterns(
    (a, _): (u8, String),
    Id(id): Id,
    [mut first, rest @ ..]: [u8; 3],
) -> Result<u8, Failed> {
    first += rest[0] + a + id;
    if first > 100 { Err(Failed("much")) } else { Ok(first) }
}

#[traced]
fn binding(all @ (a, _): (u8, u8)) -> ((u8, u8), u8) {
    (all, a)
}

#[traced]
fn conditional(#[cfg(test)] on: u8, #[cfg(not(test))] off: u8) -> u8 {
    on
}

#[traced]
fn fallible_conditional(#[cfg(not(test))] off: u8, #[cfg(test)] on: u8) -> Result<u8, Failed> {
    on.checked_sub(1).ok_or(Failed("zero"))
}

#[traced]
async fn async_conditional(#[cfg(test)] on: u8, #[cfg(not(test))] off: u8) -> u8 {
    pause().await;
    on
}

#[traced]
fn expected(#[expect(unused_variables, reason = "shows that attributes stay")] nothing: u8) {}

#[traced]
fn raw(r#type: u8, r#match: u8) -> u8 {
    r#type + r#match
}

#[traced]
fn r#fn(x: u8) -> u8 {
    x
}

#[traced]
fn trailing_comma(
    a: u8,
    b: u8, //
) -> u8 {
    a + b
}

#[traced]
fn hidden(values: impl Iterator<Item = u8>, add: impl Fn(u8) -> u8) -> u8 {
    values.map(add).sum()
}

#[traced]
fn fallible_hidden(mut values: impl Iterator<Item = u8>) -> Result<u8, Failed> {
    values.next().ok_or(Failed("empty"))
}

#[traced]
async fn async_hidden(values: impl IntoIterator<Item = u8>) -> usize {
    pause().await;
    values.into_iter().count()
}

#[traced]
fn dynamic(show: &dyn std::fmt::Display, mut next: Box<dyn FnMut() -> u8>) -> String {
    format!("{show}{}", next())
}

#[traced]
fn function_pointers(f: fn(u8) -> u8, g: &dyn Fn(u8) -> u8, h: for<'a> fn(&'a str) -> &'a str) -> usize {
    usize::from(g(f(1))) + h("ab").len()
}

#[traced]
fn shadows(x: u8) -> u8 {
    let x = x + 1;
    let y = { x * 2 };
    y + x
}

#[traced]
fn of_our_names(_span: u8, tags: u8, ret: u8, site: u8) -> u8 {
    sum_of([_span, tags, ret, site])
}

fn sum_of(values: [u8; 4]) -> u8 {
    values.into_iter().sum()
}

#[traced]
fn many(a: u8, b: u16, c: u32, d: u64, next: i8, float: f32, letter: char) -> String {
    format!("{a}{b}{c}{d}{next}{float}{letter}")
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(patterns((1, 2), [3, 4, 5], 6), 4);
        assert_eq!(nested_patterns(Order { id: Id(1), count: 2 }, &(3, [4; 9])), 10);
        assert_eq!(mutable_patterns((1, 2), vec![0]), [0, 3]);
        assert_eq!(fallible_patterns((1, String::new()), Id(2), [3, 4, 5]), Ok(10));
        assert_eq!(binding((1, 2)), ((1, 2), 1));
        assert_eq!((conditional(1), fallible_conditional(2), ready(async_conditional(3))), (1, Ok(1), 3));
        expected(1);
        assert_eq!(raw(1, 2), 3);
        assert_eq!(r#fn(1), 1);
        assert_eq!(trailing_comma(1, 2), 3);
        assert_eq!(hidden([1, 2].into_iter(), |x| x + 1), 5);
        assert_eq!(fallible_hidden([1].into_iter()), Ok(1));
        assert_eq!(ready(async_hidden([1, 2])), 2);
        assert_eq!(dynamic(&1, Box::new(|| 2)), "12");
        assert_eq!(function_pointers(|x| x + 1, &|x| x * 2, |text| text), 6);
        assert_eq!(shadows(1), 6);
        assert_eq!(of_our_names(1, 2, 3, 4), 10);
        assert_eq!(many(1, 2, 3, 4, 5, 6.5, '7'), "123456.57");
    });
    assert_eq!(spans, 20);
}
