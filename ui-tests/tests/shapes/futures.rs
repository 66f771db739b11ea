//! Functions that are not `async` and return a future.

use std::fmt::Display;
use std::future::{Future, ready as at_once};
use std::panic::Location;
use std::pin::Pin;

use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[traced]
fn hidden(x: u8) -> impl Future<Output = u8> {
    async move {
        pause().await;
        x
    }
}

#[traced]
fn with_statements(x: u8) -> impl Future<Output = u8> + Send {
    let twice = x * 2;
    async move {
        pause().await;
        twice
    }
}

#[traced]
fn delegated(x: u8) -> impl Future<Output = u8> {
    hidden(x + 1)
}

#[traced]
fn fallible(x: u8) -> impl Future<Output = Result<u8, Failed>> {
    async move {
        pause().await;
        x.checked_sub(1).ok_or(Failed("zero"))
    }
}

#[traced]
fn borrowing(text: &str) -> impl Future<Output = usize> + '_ {
    async move {
        pause().await;
        text.len()
    }
}

#[traced]
fn boxed(x: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(async move {
        pause().await;
        x
    })
}

#[traced]
fn boxed_with_early_return(x: u8) -> Pin<Box<dyn Future<Output = u8>>> {
    if x == 0 {
        return Box::pin(at_once(9));
    }
    let twice = x * 2;
    Box::pin(async move { at_once(twice).await })
}

#[traced]
fn boxed_fallible<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<u8, Failed>> + Send + 'a>> {
    Box::pin(async move {
        pause().await;
        Ok(text.parse()?)
    })
}

#[traced]
fn alias(text: &str) -> BoxFuture<'_, usize> {
    Box::pin(async move { text.len() })
}

struct Shop(u8);

impl Shop {
    #[traced]
    fn method(&self) -> impl Future<Output = u8> + '_ {
        async {
            pause().await;
            self.0
        }
    }

    #[traced]
    fn boxed_method<'a>(&'a mut self, add: &'a u8) -> Pin<Box<dyn Future<Output = &'a mut u8> + Send + 'a>> {
        Box::pin(async move {
            pause().await;
            self.0 += add;
            &mut self.0
        })
    }
}

#[traced]
fn in_a_tuple(x: u8) -> (u8, impl Future<Output = u8>) {
    (x, at_once(x))
}

#[traced]
fn named(x: u8) -> std::future::Ready<u8> {
    at_once(x)
}

#[traced(tags(count = values.len()))]
fn reborrowing(values: &mut Vec<u8>) -> impl Future<Output = &mut u8> + Send {
    values.push(1);
    async { at_once(&mut values[0]).await }
}

#[traced]
fn taking<T: Display + Send>(value: T) -> impl Future<Output = String> {
    let text = value.to_string();
    async move {
        drop(value);
        at_once(text).await
    }
}

#[traced(err(|found: &Option<u8>| found.is_none().then_some("nothing")), ret = "debug")]
fn boxed_option<'a>(values: &'a [u8]) -> Pin<Box<dyn Future<Output = Option<u8>> + 'a>> {
    if values.is_empty() {
        return Box::pin(at_once(None));
    }
    let first = values[0];
    Box::pin(async move { Some(at_once(first).await) })
}

#[traced(tags(text))]
fn not_capturing(text: &str) -> impl Future<Output = Result<usize, Failed>> {
    let length = text.len();
    async move {
        pause().await;
        length.checked_sub(1).ok_or(Failed("empty"))
    }
}

#[traced]
fn recursive(depth: u8) -> BoxFuture<'static, u8> {
    Box::pin(async move { if depth == 0 { 0 } else { 1 + recursive(depth - 1).await } })
}

#[traced]
fn opaque() -> impl Future<Output = Result<impl Display, Failed>> {
    async { Ok(at_once(1).await) }
}

#[traced]
fn with_more_traits() -> impl Future<Output = u8> + Clone {
    at_once(1)
}

#[traced]
fn in_a_result(fail: bool) -> Result<impl Future<Output = u8>, Failed> {
    if fail { Err(Failed("asked to")) } else { Ok(at_once(1)) }
}

#[traced]
#[track_caller]
fn caller() -> impl Future<Output = u32> {
    at_once(Location::caller().line())
}

trait Later {
    fn later(&self) -> impl Future<Output = u8> + Send;
}

impl Later for u8 {
    #[traced]
    fn later(&self) -> impl Future<Output = u8> + Send {
        let value = *self;
        at_once(value)
    }
}

fn is_send_and_sync<T: Send + Sync>(value: T) -> T {
    value
}

#[test]
fn forms_of_futures_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(ready(is_send_and_sync(reborrowing(&mut vec![]))), &mut 1);
        assert_eq!(ready(is_send_and_sync(taking(5))), "5");
        assert_eq!((ready(boxed_option(&[])), ready(boxed_option(&[2]))), (None, Some(2)));
        assert_eq!((ready(not_capturing("ab")), ready(not_capturing(""))), (Ok(1), Err(Failed("empty"))));
        assert_eq!(ready(recursive(3)), 3);
        assert!(ready(opaque()).is_ok_and(|value| value.to_string() == "1"));
        assert_eq!(ready(with_more_traits().clone()), 1);
        assert!(in_a_result(true).is_err());
        assert_eq!(in_a_result(false).map(ready).ok(), Some(1));
        assert_eq!(ready(caller()), line!());
        assert_eq!(ready(is_send_and_sync(6.later())), 6);
    });
    assert_eq!(spans, 16);
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(ready(hidden(1)), 1);
        assert_eq!(ready(with_statements(1)), 2);
        assert_eq!(ready(delegated(1)), 2);
        assert_eq!(ready(fallible(0)), Err(Failed("zero")));
        assert_eq!(ready(borrowing("ab")), 2);
        assert_eq!(ready(boxed(1)), 1);
        assert_eq!((ready(boxed_with_early_return(0)), ready(boxed_with_early_return(1))), (9, 2));
        assert_eq!(ready(boxed_fallible("7")), Ok(7));
        assert_eq!(ready(boxed_fallible("x")), Err(Failed("not a number")));
        assert_eq!(ready(alias("ab")), 2);
        assert_eq!(ready(Shop(1).method()), 1);
        assert_eq!(ready(Shop(1).boxed_method(&2)), &mut 3);
        let (first, second) = in_a_tuple(1);
        assert_eq!((first, ready(second)), (1, 1));
        assert_eq!(ready(named(1)), 1);
    });
    assert_eq!(spans, 16);
}
