//! What a `#[traced]` function returns, as its span tells it: an error in its own words, and the value where that is asked for.

use std::error::Error;
use std::fmt::{Debug, Display, Formatter};

use dd_traced::testing::{FinishedSpan, ScopedTracer};
use dd_traced::{TraceFuture, active_span, span, traced};
use dd_traced_tests::{ready, span_of};

/// Type, message and stack of the error on a span; `None` where there is none.
fn error(span: &FinishedSpan) -> Option<[&str; 3]> {
    let tag = |key: &str| span.meta.get(key).map_or("", String::as_str);
    let error = ["error.type", "error.message", "error.stack"].map(tag);
    assert_eq!(span.is_error, !error[0].is_empty(), "{span:#?}");
    span.is_error.then_some(error)
}

#[derive(Debug)]
struct Outer(Inner);
#[derive(Debug)]
struct Inner;

impl Display for Outer {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("no order")
    }
}

impl Display for Inner {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("no connection")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Error for Inner {}

#[derive(Debug)]
struct OnlyDebug {
    #[expect(dead_code, reason = "for its text")]
    code: u8,
}

struct Mute;

type Outcome<T> = Result<T, Outer>;

const OUTER: &str = "returned_values::Outer";

#[test]
fn an_err_is_described_by_what_its_type_offers() {
    #[traced]
    fn with_sources() -> Result<(), Outer> {
        Err(Outer(Inner))
    }
    #[traced]
    fn behind_a_pointer() -> Result<(), Box<dyn Error>> {
        Err(Box::new(Outer(Inner)))
    }
    #[traced]
    fn by_display() -> Result<(), &'static str> {
        Err("a text")
    }
    #[traced]
    fn by_debug() -> Result<(), OnlyDebug> {
        Err(OnlyDebug { code: 3 })
    }
    #[traced]
    fn by_type() -> Result<(), Mute> {
        Err(Mute)
    }
    assert_eq!(error(&span_of(with_sources)), Some([OUTER, "no order", "caused by: no connection"]));
    let boxed = "alloc::boxed::Box<dyn core::error::Error>";
    assert_eq!(error(&span_of(behind_a_pointer)), Some([boxed, "no order", "caused by: no connection"]));
    assert_eq!(error(&span_of(by_display)), Some(["&str", "a text", ""]));
    let debug = "returned_values::OnlyDebug";
    assert_eq!(error(&span_of(by_debug)), Some([debug, "OnlyDebug { code: 3 }", ""]));
    let mute = "returned_values::Mute";
    assert_eq!(error(&span_of(by_type)), Some([mute, mute, ""]));
}

#[test]
fn in_a_generic_function_the_bounds_decide() {
    #[traced]
    fn bounded<E: Display>(error: E) -> Result<(), E> {
        Err(error)
    }
    #[traced]
    fn unbounded<E>(error: E) -> Result<(), E> {
        Err(error)
    }
    assert_eq!(error(&span_of(|| bounded(Inner))).map(|error| error[1]), Some("no connection"));
    let kind = "returned_values::Inner";
    assert_eq!(error(&span_of(|| unbounded(Inner))), Some([kind, kind, ""]));
}

#[test]
fn an_alias_that_does_not_end_in_result_needs_err() {
    #[traced]
    fn unseen() -> Outcome<u8> {
        Err(Outer(Inner))
    }
    #[traced(err = "display")]
    fn display() -> Outcome<u8> {
        Err(Outer(Inner))
    }
    #[traced(err = "debug")]
    fn debug() -> impl Future<Output = Outcome<u8>> {
        async { Err(Outer(Inner)) }
    }
    #[traced(err = true)]
    async fn by_type() -> Outcome<u8> {
        Err(Outer(Inner))
    }
    #[traced(err = false)]
    fn silent() -> Result<u8, Outer> {
        Err(Outer(Inner))
    }
    assert_eq!(error(&span_of(unseen)), None);
    assert_eq!(error(&span_of(display)), Some([OUTER, "no order", ""]));
    assert_eq!(error(&span_of(|| ready(debug()))), Some([OUTER, "Outer(Inner)", ""]));
    assert_eq!(error(&span_of(|| ready(by_type()))), Some([OUTER, "no order", "caused by: no connection"]));
    assert_eq!(error(&span_of(silent)), None);
}

#[test]
fn a_function_finds_errors_in_other_values() {
    #[traced(err(|found: &Option<u8>| found.is_none().then_some("nothing found")))]
    fn option(value: Option<u8>) -> Option<u8> {
        value
    }
    struct Status([u16; 5]);
    impl Status {
        fn error(&self) -> Option<Outer> {
            (self.0[0] >= 500).then_some(Outer(Inner))
        }
    }
    #[traced(err(Status::error))]
    async fn status(code: u16) -> Status {
        Status([code; 5])
    }
    struct Held(Option<Outer>);
    impl Held {
        fn error(&self) -> Option<&Outer> {
            self.0.as_ref()
        }
    }
    #[traced(err(Held::error))]
    fn held() -> Held {
        Held(Some(Outer(Inner)))
    }
    #[traced(err(|held| held.0.as_ref()))]
    async fn held_later() -> Held {
        Held(Some(Outer(Inner)))
    }
    let found = [span_of(held), span_of(|| ready(held_later()))];
    let outer = ["returned_values::Outer", "no order", "caused by: no connection"];
    assert_eq!(found.each_ref().map(error), [Some(outer); 2]);
    assert_eq!(error(&span_of(|| option(None))), Some(["&str", "nothing found", ""]));
    assert_eq!(error(&span_of(|| option(Some(1)))), None);
    assert_eq!(error(&span_of(|| ready(status(503)))).map(|error| error[1]), Some("no order"));
    assert_eq!(error(&span_of(|| ready(status(404)))), None);
}

#[test]
fn what_is_no_result_is_no_error() {
    #[derive(Debug)]
    struct SearchResult;
    #[traced]
    fn search() -> SearchResult {
        SearchResult
    }
    #[traced]
    fn none() -> Option<u8> {
        None
    }
    #[traced(err = "debug")]
    fn number() -> u8 {
        1
    }
    assert_eq!(error(&span_of(search)), None);
    assert_eq!(error(&span_of(none)), None);
    assert_eq!(error(&span_of(number)), None);
}

#[test]
fn early_returns_and_question_marks_are_seen() {
    #[traced]
    fn sync(text: &str) -> Result<u8, Box<dyn Error>> {
        if text.is_empty() {
            return Err(Box::new(Outer(Inner)));
        }
        Ok(text.parse()?)
    }
    #[traced]
    async fn asynchronous(text: &str) -> Result<u8, Box<dyn Error>> {
        if text.is_empty() {
            return Err(Box::new(Outer(Inner)));
        }
        Ok(text.parse()?)
    }
    assert_eq!(error(&span_of(|| sync(""))).map(|error| error[1]), Some("no order"));
    assert_eq!(error(&span_of(|| ready(asynchronous("")))).map(|error| error[1]), Some("no order"));
    let invalid = "invalid digit found in string";
    assert_eq!(error(&span_of(|| sync("x"))).map(|error| error[1]), Some(invalid));
    assert_eq!(error(&span_of(|| ready(asynchronous("x")))).map(|error| error[1]), Some(invalid));
    assert_eq!(error(&span_of(|| sync("1"))), None);
}

#[test]
fn a_panic_is_an_error_only_where_it_began() {
    struct Falls;
    impl Drop for Falls {
        #[traced("drop")]
        fn drop(&mut self) {}
    }
    #[traced("fall")]
    fn fall() {
        let _falls = Falls;
        std::panic::resume_unwind(Box::new("boom"));
    }
    let tracer = ScopedTracer::new();
    assert!(std::panic::catch_unwind(fall).is_err());
    assert_eq!(tracer.tree(), "fall !\n  drop\n");
}

#[test]
fn ret_is_the_returned_value() {
    #[traced(ret)]
    fn number() -> u8 {
        7
    }
    #[traced(ret = "debug")]
    async fn option() -> Option<&'static str> {
        Some("x")
    }
    #[traced(ret)]
    fn later() -> impl Future<Output = impl Display> {
        async { 1.5 }
    }
    #[traced(ret, root)]
    fn hidden() -> impl Display {
        "hidden"
    }
    let ret = |span: &FinishedSpan| span.meta.get("return").cloned();
    assert_eq!(ret(&span_of(number)).as_deref(), Some("7"));
    assert_eq!(ret(&span_of(|| ready(option()))).as_deref(), Some("Some(\"x\")"));
    assert_eq!(ret(&span_of(|| ready(later()).to_string())).as_deref(), Some("1.5"));
    assert_eq!(ret(&span_of(|| hidden().to_string())).as_deref(), Some("hidden"));
}

#[test]
fn ret_of_a_result_is_what_is_ok() {
    #[traced(ret)]
    fn fallible(fail: bool) -> Result<u8, Outer> {
        if fail { Err(Outer(Inner)) } else { Ok(7) }
    }
    #[traced(ret = "debug", err = false)]
    async fn silent(fail: bool) -> Result<[u8; 2], Mute> {
        if fail { Err(Mute) } else { Ok([1, 2]) }
    }
    let span = span_of(|| fallible(false));
    assert_eq!((error(&span), span.meta.get("return").map(String::as_str)), (None, Some("7")));
    let span = span_of(|| fallible(true));
    assert_eq!((error(&span).map(|error| error[1]), span.meta.get("return")), (Some("no order"), None));
    let span = span_of(|| ready(silent(false)));
    assert_eq!(span.meta.get("return").map(String::as_str), Some("[1, 2]"));
    let span = span_of(|| ready(silent(true)));
    assert_eq!((error(&span), span.meta.get("return")), (None, None));
}

/// A future that is given a span is foreign, and so is what its `Err` means.
#[test]
fn an_error_under_a_span_by_hand_is_told_by_hand() {
    async fn fail(is_told: bool) -> Result<(), std::fmt::Error> {
        if is_told {
            active_span().set_error(&std::fmt::Error);
        }
        std::future::ready(Err(std::fmt::Error)).await
    }
    let tracer = ScopedTracer::new();
    for name in ["silent", "told"] {
        assert!(ready(fail(name == "told").traced(span(name).start())).is_err());
    }
    let spans = tracer.finished();
    let errors = spans.iter().map(|span| (&*span.name, error(span).map(|[kind, ..]| kind)));
    assert_eq!(errors.collect::<Vec<_>>(), [("silent", None), ("told", Some("core::fmt::Error"))]);
}
