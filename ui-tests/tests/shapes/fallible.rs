//! Synchronous functions whose errors are seen.

use std::error::Error;
use std::fmt::{self, Display, Write};
use std::io;
use std::str::FromStr;

use dd_traced::traced;

use crate::support::{Failed, Outcome, spans_of, tree_of};

#[traced]
fn question_mark(text: &str) -> Result<u8, Failed> {
    let number: u8 = text.parse()?;
    if number == 0 {
        return Err(Failed("zero"));
    }
    Ok(number)
}

#[traced]
fn early_returns_coerce(early: bool) -> Result<Box<dyn Display>, Box<dyn Error>> {
    if early {
        return Ok(Box::new(1));
    }
    let number: i32 = "x".parse()?;
    Ok(Box::new(number))
}

#[traced]
fn early_errors_coerce(early: bool) -> Result<u8, Box<dyn Error + Send + Sync>> {
    if early {
        return Err(Box::new(Failed("early")));
    }
    Err("late".into())
}

#[traced]
fn reborrow(values: &mut Vec<u8>) -> Result<&mut u8, Failed> {
    values.push(1);
    values.last_mut().ok_or(Failed("empty"))
}

#[traced]
fn reborrow_early<'a>(values: &'a mut [u8], other: &'a mut u8) -> Result<&'a mut u8, Failed> {
    if values.is_empty() {
        return Ok(other);
    }
    let (first, _) = values.split_first_mut().ok_or(Failed("empty"))?;
    *first += 1;
    Ok(first)
}

#[traced]
fn mutable(mut own: Vec<u8>, other: &mut Vec<u8>) -> Outcome<usize> {
    own.push(question_mark("1")?);
    other.push(2);
    Ok(own.len() + other.len())
}

#[traced]
fn moved(own: String) -> Result<String, Failed> {
    if own.is_empty() { Err(Failed("empty")) } else { Ok(own) }
}

#[traced]
fn hidden_type(values: &[u8]) -> Result<impl Iterator<Item = &u8> + '_, Failed> {
    if values.is_empty() {
        return Err(Failed("empty"));
    }
    Ok(values.iter())
}

#[traced]
fn two_hidden_types(ok: bool) -> Result<impl Display, impl Error> {
    if ok { Ok(1) } else { Err(Failed("no")) }
}

#[traced]
fn generic<T: FromStr + Copy, const N: usize>(text: &str) -> Result<[T; N], T::Err> {
    Ok([text.parse()?; N])
}

#[traced]
fn with_items(x: u8) -> Result<u8, Failed> {
    const LIMIT: u8 = 2;
    if x > LIMIT { Err(Failed("limit")) } else { Ok(x) }
}

#[traced]
fn one_argument_alias(text: &str) -> fmt::Result {
    let mut written = String::new();
    written.write_str(text)?;
    if written.is_empty() { Err(fmt::Error) } else { Ok(()) }
}

#[traced]
fn alias_with_path(name: &str) -> std::io::Result<usize> {
    if name.is_empty() {
        return Err(io::Error::other("no name"));
    }
    Ok(name.len())
}

#[traced]
fn absolute_path(fail: bool) -> ::core::result::Result<(), Failed> {
    if fail { Err(Failed("asked to")) } else { Ok(()) }
}

#[traced]
fn nested(text: &str) -> Result<Result<u8, Failed>, Failed> {
    if text.is_empty() {
        return Err(Failed("empty"));
    }
    Ok(question_mark(text))
}

#[traced]
fn closure_inside(texts: &[&str]) -> Result<Vec<u8>, Failed> {
    texts.iter().map(|text| question_mark(text)).collect()
}

#[traced]
fn where_clause<T>(value: T) -> Result<String, Failed>
where
    T: Display,
{
    Ok(value.to_string())
}

#[traced]
extern "Rust" fn foreign_abi(x: i32) -> Result<i32, Failed> {
    x.checked_add(1).ok_or(Failed("full"))
}

#[traced(err(|found: &Option<u8>| found.is_none().then_some("nothing found")))]
fn option(value: Option<u8>) -> Option<u8> {
    value
}

#[traced(err(|status| status.checked_sub(399)))]
fn status(code: u16) -> u16 {
    code
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the argument `err` hands over a reference")]
fn refusal(code: &u16) -> Option<&'static str> {
    (*code > 400).then_some("refused")
}

#[traced(err(refusal))]
fn status_by_path(code: u16) -> u16 {
    code
}

#[traced(err = "debug")]
fn debug() -> Outcome<u8> {
    Err(Failed("debug"))
}

#[traced(err = "display")]
fn display() -> Outcome<u8> {
    Err(Failed("display"))
}

#[traced]
fn unseen_alias() -> Outcome<u8> {
    Err(Failed("unseen"))
}

#[traced(err = false)]
fn silent() -> Result<u8, Failed> {
    Err(Failed("silent"))
}

#[derive(Debug, PartialEq)]
struct OwnResult(u8);

#[traced]
fn another_result(x: u8) -> OwnResult {
    OwnResult(x)
}

struct NoTraits;

#[traced]
fn undescribed(fail: bool) -> Result<NoTraits, NoTraits> {
    if fail { Err(NoTraits) } else { Ok(NoTraits) }
}

#[traced]
fn generic_error<E>(error: E) -> Result<(), E> {
    Err(error)
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(question_mark("7"), Ok(7));
        assert_eq!(question_mark("0"), Err(Failed("zero")));
        assert_eq!(question_mark("x"), Err(Failed("not a number")));
        assert_eq!(early_returns_coerce(true).unwrap().to_string(), "1");
        assert!(early_returns_coerce(false).is_err());
        assert_eq!(early_errors_coerce(true).unwrap_err().to_string(), "early");
        assert_eq!(early_errors_coerce(false).unwrap_err().to_string(), "late");
        assert_eq!(reborrow(&mut vec![]), Ok(&mut 1));
        assert_eq!(reborrow_early(&mut [1], &mut 5), Ok(&mut 2));
        assert_eq!(reborrow_early(&mut [], &mut 5), Ok(&mut 5));
        assert_eq!(mutable(vec![], &mut vec![]), Ok(2));
        assert_eq!(moved("a".to_owned()), Ok("a".to_owned()));
        assert_eq!(hidden_type(&[1, 2]).unwrap().count(), 2);
        assert!(hidden_type(&[]).is_err());
        assert_eq!(two_hidden_types(true).map(|ok| ok.to_string()).ok(), Some("1".to_owned()));
        assert_eq!(generic::<u8, 3>("4"), Ok([4, 4, 4]));
        assert_eq!(with_items(3), Err(Failed("limit")));
        assert_eq!(one_argument_alias(""), Err(fmt::Error));
        assert_eq!(alias_with_path("a").ok(), Some(1));
        assert_eq!(absolute_path(true), Err(Failed("asked to")));
        assert_eq!(nested("x"), Ok(Err(Failed("not a number"))));
        assert_eq!(closure_inside(&["1", "2"]), Ok(vec![1, 2]));
        assert_eq!(where_clause(1), Ok("1".to_owned()));
        assert_eq!(foreign_abi(1), Ok(2));
        assert_eq!((option(None), option(Some(1))), (None, Some(1)));
        assert_eq!((status(404), status_by_path(404)), (404, 404));
        assert_eq!(another_result(1), OwnResult(1));
        assert!(undescribed(true).is_err() && undescribed(false).is_ok());
        assert_eq!(generic_error(1), Err(1));
        assert_eq!(debug().and(display()).and(silent()).and(unseen_alias()), Err(Failed("debug")));
    });
    assert_eq!(spans, 40);
}

#[test]
fn a_span_failed_where_its_function_did() {
    let tree = tree_of(|| {
        let _ = question_mark("x");
        let _ = early_errors_coerce(true);
        let _ = nested("x");
        let _ = one_argument_alias("");
        let _ = two_hidden_types(false);
        let _ = undescribed(true);
        let _ = generic_error(1);
        let _ = option(None);
        let _ = status_by_path(404);
        let _ = (debug(), display(), unseen_alias(), silent());
        let _ = another_result(1);
    });
    assert_eq!(
        tree,
        "fallible.question_mark !
fallible.early_errors_coerce !
fallible.nested
  fallible.question_mark !
fallible.one_argument_alias !
fallible.two_hidden_types !
fallible.undescribed !
fallible.generic_error !
fallible.option !
fallible.status_by_path !
fallible.debug !
fallible.display !
fallible.unseen_alias
fallible.silent
fallible.another_result
"
    );
}
