//! Asynchronous functions.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Display;
use std::future::ready as at_once;

use dd_traced::traced;

use crate::support::{Failed, Outcome, pause, ready, spans_of, tree_of};

#[traced]
async fn unit(text: &str) {
    if text.is_empty() {
        return;
    }
    pause().await;
}

#[traced]
async fn value(x: u8) -> u8 {
    pause().await;
    x
}

#[traced]
async fn written_unit(x: u8) -> () {
    at_once(x).await;
}

#[traced]
async fn early_return(x: u8) -> u8 {
    if x > 3 {
        return 3;
    }
    at_once(x).await
}

#[traced(tags(id))]
async fn early_returns_coerce(id: String) -> Result<String, Box<dyn Error + Send>> {
    if id.is_empty() {
        return Err(Box::new(Failed("empty")));
    }
    pause().await;
    Ok(at_once(id).await)
}

#[traced]
async fn values_coerce(early: bool) -> Box<dyn Display> {
    if early {
        return Box::new(1);
    }
    pause().await;
    Box::new("two")
}

#[traced]
async fn question_mark(text: &str) -> Result<u8, Failed> {
    let number: u8 = text.parse()?;
    pause().await;
    Ok(number)
}

#[traced]
async fn option(text: &str) -> Option<char> {
    let first = text.chars().next()?;
    pause().await;
    Some(first)
}

#[traced]
async fn reborrow(values: &mut [u8]) -> Option<&mut u8> {
    pause().await;
    values.last_mut()
}

#[traced]
async fn reborrow_or_fail(values: &mut Vec<u8>) -> Result<&mut u8, Failed> {
    values.push(1);
    pause().await;
    values.last_mut().ok_or(Failed("empty"))
}

#[traced]
async fn hidden_type(values: &[u8]) -> Result<impl Iterator<Item = &u8> + '_, Failed> {
    let first = values.first().ok_or(Failed("empty"))?;
    Ok(std::iter::once(at_once(first).await))
}

#[traced]
async fn with_items(x: u8) -> u8 {
    use std::cmp::max;
    max(at_once(x).await, 3)
}

#[traced]
async fn inner_attribute() -> u8 {
    #![expect(clippy::identity_op, reason = "shows that inner attributes stay in front")]
    at_once(1 + 0).await
}

#[traced]
async fn never(cell: Cell<u8>) -> ! {
    std::future::pending::<()>().await;
    panic!("{cell:?}")
}

#[traced(err = "display")]
async fn alias() -> Outcome<u8> {
    Err(at_once(Failed("display")).await)
}

#[traced(err = false)]
async fn silent() -> Result<u8, Failed> {
    Err(at_once(Failed("silent")).await)
}

#[traced(err(|status| (*status >= 500).then_some("refused")))]
async fn status(code: u16) -> u16 {
    at_once(code).await
}

#[traced]
async fn closure_and_block(x: u8) -> u8 {
    let add = async |y: u8| at_once(x + y).await;
    let block = async move { at_once(x).await };
    add(1).await + block.await
}

#[traced]
async fn generic<T: Clone, const N: usize>(value: T) -> [T; N] {
    pause().await;
    std::array::from_fn(|_| value.clone())
}

#[traced]
async fn patterns((a, _): (u8, u8), [b, ..]: [u8; 3], _: u8, mut c: u8) -> u8 {
    c += at_once(a + b).await;
    c
}

#[traced]
async fn joined() -> (u8, u8) {
    let (first, second) = (value(1), value(2));
    (first.await, second.await)
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        ready(unit(""));
        ready(unit("x"));
        ready(written_unit(1));
        assert_eq!(ready(value(2)), 2);
        assert_eq!((ready(early_return(9)), ready(early_return(1))), (3, 1));
        assert_eq!(ready(early_returns_coerce("a".to_owned())).unwrap(), "a");
        assert!(ready(early_returns_coerce(String::new())).is_err());
        assert_eq!(ready(values_coerce(true)).to_string() + &ready(values_coerce(false)).to_string(), "1two");
        assert_eq!(ready(question_mark("7")), Ok(7));
        assert_eq!(ready(question_mark("x")), Err(Failed("not a number")));
        assert_eq!((ready(option("a")), ready(option(""))), (Some('a'), None));
        assert_eq!(ready(reborrow(&mut [1])), Some(&mut 1));
        assert_eq!(ready(reborrow_or_fail(&mut vec![])), Ok(&mut 1));
        assert_eq!(ready(hidden_type(&[5])).unwrap().count(), 1);
        assert_eq!(ready(with_items(1)), 3);
        assert_eq!(ready(inner_attribute()), 1);
        assert_eq!(ready(alias()), Err(Failed("display")));
        assert_eq!(ready(silent()), Err(Failed("silent")));
        assert_eq!(ready(status(500)), 500);
        assert_eq!(ready(closure_and_block(1)), 3);
        assert_eq!(ready(generic::<_, 2>("x")), ["x", "x"]);
        assert_eq!(ready(patterns((1, 2), [3, 4, 5], 6, 7)), 11);
        assert_eq!(ready(joined()), (1, 2));
        // A future that is never polled has no span.
        drop(never(Cell::new(1)));
    });
    assert_eq!(spans, 28);
}

#[test]
fn a_span_failed_where_its_function_did() {
    let tree = tree_of(|| {
        let _ = ready(question_mark("x"));
        let _ = ready(early_returns_coerce(String::new()));
        let _ = (ready(alias()), ready(silent()), ready(status(500)));
        ready(joined());
    });
    assert_eq!(
        tree,
        "asynchronous.question_mark !
asynchronous.early_returns_coerce !
asynchronous.alias !
asynchronous.silent
asynchronous.status !
asynchronous.joined
  asynchronous.value
  asynchronous.value
"
    );
}
