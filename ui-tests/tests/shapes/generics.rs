//! Generic functions.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::hash::Hash;

use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

#[traced]
fn types<T: Debug, U>(t: T, u: U) -> (T, U)
where
    U: Display + Clone,
{
    (t, u)
}

#[traced]
fn constant<const N: usize>(value: u8) -> [u8; N] {
    [value; N]
}

#[traced]
fn constant_expression<const N: usize, const ON: bool>(values: [u8; N]) -> Result<usize, Failed> {
    if ON { Ok(values.len()) } else { Err(Failed("off")) }
}

#[traced]
fn lifetimes<'a, 'b: 'a>(long: &'b str, short: &'a str) -> &'a str {
    if long.is_empty() { short } else { long }
}

#[traced]
fn fallible_lifetimes<'a>(map: &'a mut HashMap<String, u8>, key: &str) -> Result<&'a mut u8, Failed> {
    map.get_mut(key).ok_or(Failed("no such key"))
}

#[traced]
fn higher_ranked<F>(f: F) -> usize
where
    F: for<'a> Fn(&'a str) -> &'a str,
{
    f("abc").len()
}

#[traced]
fn arrows<F: Fn(u8) -> u8>(f: F) -> impl Fn(u8) -> u8 {
    move |x| f(x)
}

#[traced]
fn unsized_type<T: ?Sized + Display>(value: &T) -> String {
    value.to_string()
}

#[traced]
fn comparison<T: PartialOrd>(a: &[T], b: &T) -> bool {
    a.len() < 2 && a[0] < *b && *b > a[a.len() >> 1]
}

#[traced]
fn iterator<'a, I>(values: I) -> impl Iterator<Item = (usize, &'a str)>
where
    I: IntoIterator<Item = &'a str>,
{
    values.into_iter().enumerate()
}

#[traced]
fn bounded_output<T>(value: T) -> impl Debug + Clone + PartialEq<T>
where
    T: Debug + Clone + PartialEq,
{
    value
}

#[traced]
fn collected<K: Hash + Eq, V>(pairs: impl IntoIterator<Item = (K, V)>) -> HashMap<K, V> {
    pairs.into_iter().collect()
}

#[traced]
fn associated<I: Iterator>(mut values: I) -> Option<<I as Iterator>::Item> {
    values.next()
}

#[traced]
fn associated_result<T: TryInto<u8>>(value: T) -> Result<u8, <T as TryInto<u8>>::Error> {
    value.try_into()
}

#[traced]
fn borrowed<'a>(text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    text.into()
}

#[traced]
async fn async_types<T>(value: T) -> Result<Vec<T>, Failed>
where
    T: Clone + PartialEq<T>,
{
    pause().await;
    Ok(vec![value.clone(), value])
}

#[traced]
async fn async_lifetimes<'a>(long: &'a str, short: &str) -> Result<&'a str, Failed> {
    pause().await;
    if short.is_empty() { Err(Failed("empty")) } else { Ok(long) }
}

#[traced]
async fn async_closure<F: AsyncFn(u8) -> u8>(f: F) -> u8 {
    f(1).await + f(2).await
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(types(1, 'x'), (1, 'x'));
        assert_eq!(constant::<3>(1), [1, 1, 1]);
        assert_eq!(constant_expression::<2, true>([1, 2]), Ok(2));
        assert_eq!(constant_expression::<2, false>([1, 2]), Err(Failed("off")));
        assert_eq!(lifetimes("", "b"), "b");
        let mut map = collected([("a".to_owned(), 1)]);
        assert_eq!(fallible_lifetimes(&mut map, "a"), Ok(&mut 1));
        assert_eq!(higher_ranked(|text| &text[1..]), 2);
        assert_eq!(arrows(|x| x + 1)(1), 2);
        assert_eq!(unsized_type("a") + &unsized_type(&1), "a1");
        assert!(comparison(&[1], &2));
        assert_eq!(iterator(["a", "b"]).last(), Some((1, "b")));
        assert!(bounded_output(1) == 1);
        assert_eq!(associated([1].iter()), Some(&1));
        assert_eq!(associated_result(7_u64).ok(), Some(7));
        assert_eq!(borrowed("a"), "a");
        assert_eq!(ready(async_types(1)), Ok(vec![1, 1]));
        assert_eq!(ready(async_lifetimes("long", "s")), Ok("long"));
        assert_eq!(ready(async_closure(async |x| x * 2)), 6);
    });
    assert_eq!(spans, 20);
}
