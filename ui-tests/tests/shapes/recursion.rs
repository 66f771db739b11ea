//! Functions that call themselves and each other.

use std::future::Future;
use std::pin::Pin;

use dd_traced::traced;

use crate::support::{Failed, pause, ready, tree_of};

#[traced]
fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1) }
}

#[traced]
fn countdown(n: u8) -> Result<u8, Failed> {
    if n == 0 {
        return Err(Failed("zero"));
    }
    countdown(n - 1)
}

#[traced]
fn is_even(n: u8) -> bool {
    n == 0 || is_odd(n - 1)
}

#[traced]
fn is_odd(n: u8) -> bool {
    n != 0 && is_even(n - 1)
}

#[traced]
async fn boxed_at_the_call(n: u8) -> u8 {
    pause().await;
    if n == 0 { 0 } else { 1 + Box::pin(boxed_at_the_call(n - 1)).await }
}

#[traced]
async fn boxed_and_fallible(n: u8) -> Result<u8, Failed> {
    if n == 0 {
        return Err(Failed("zero"));
    }
    Box::pin(boxed_and_fallible(n - 1)).await
}

#[traced]
async fn through_a_plain_function(n: u8) -> u8 {
    if n == 0 { 0 } else { 1 + plain_function(n - 1).await }
}

fn plain_function(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(through_a_plain_function(n))
}

#[test]
fn each_call_is_a_span_below_its_caller() {
    let tree = tree_of(|| {
        assert_eq!(factorial(2), 2);
        assert_eq!(countdown(1), Err(Failed("zero")));
        assert!(is_even(2));
        assert_eq!(ready(boxed_at_the_call(1)), 1);
        assert_eq!(ready(boxed_and_fallible(1)), Err(Failed("zero")));
        assert_eq!(ready(through_a_plain_function(1)), 1);
    });
    assert_eq!(
        tree,
        "recursion.factorial
  recursion.factorial
    recursion.factorial
recursion.countdown !
  recursion.countdown !
recursion.is_even
  recursion.is_odd
    recursion.is_even
recursion.boxed_at_the_call
  recursion.boxed_at_the_call
recursion.boxed_and_fallible !
  recursion.boxed_and_fallible !
recursion.through_a_plain_function
  recursion.through_a_plain_function
"
    );
}
