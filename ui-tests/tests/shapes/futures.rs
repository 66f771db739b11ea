//! Functions that are not `async` and return a future.

use std::future::{Future, ready as at_once};
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
