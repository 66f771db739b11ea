//! What `dd_log!` hands to the `log` crate.
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]

use std::cell::{Cell, RefCell};
use std::fmt::Write;

use dd_traced::{dd_format, dd_log};
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps `LEVEL target: message key=value` of each record of the thread.
struct Lines;

impl Log for Lines {
    fn enabled(&self, _: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        let mut pairs = Pairs(String::new());
        let _ = record.key_values().visit(&mut pairs);
        let line = format!("{} {}: {}{}", record.level(), record.target(), record.args(), pairs.0);
        LINES.with_borrow_mut(|lines| lines.push(line));
    }

    fn flush(&self) {}
}

struct Pairs(String);

impl<'a> VisitSource<'a> for Pairs {
    fn visit_pair(&mut self, key: Key<'a>, value: Value<'a>) -> Result<(), Error> {
        write!(self.0, " {key}={value}")?;
        Ok(())
    }
}

/// The lines that `act` logs, without the prefix of a thread that has no span.
fn lines(act: impl FnOnce()) -> Vec<String> {
    // Another test may have installed it already.
    let _ = log::set_logger(&Lines);
    log::set_max_level(LevelFilter::Debug);
    act();
    LINES.take().into_iter().map(|line| line.replace("[dd.trace_id=0 dd.span_id=0]", "[ids]")).collect()
}

#[test]
fn a_line_starts_with_the_ids() {
    let (n, id, width) = (3, "u", 4);
    let logged = lines(|| {
        dd_log!("plain");
        dd_log!(warn, "{n} {} {0:>width$}| {named}", id, named = 5);
        dd_log!(error, "{:.*}", 2, 1.2345);
        dd_log!(concat!("{}", " {}"), n, id);
    });
    assert_eq!(
        logged,
        [
            "INFO log_lines: [ids] plain",
            "WARN log_lines: [ids] 3 u    u| 5",
            "ERROR log_lines: [ids] 1.23",
            "INFO log_lines: [ids] 3 u",
        ]
    );
}

#[test]
fn placeholders_are_where_the_ids_go() {
    let (n, id) = (3, "u");
    let logged = lines(|| {
        dd_log!(debug, "{} in {dd.trace_id}, {n} {{dd.env}}", id);
        dd_log!("{dd.span_id:>3}/{dd.span_id}/{dd.trace_id:<2}|");
        dd_log!(r#"raw \ "{n}" {dd.span_id}"#);
        dd_log!("[{dd.service}{dd.env}{dd.version}]",);
    });
    assert_eq!(
        logged,
        [
            "DEBUG log_lines: u in 0, 3 {dd.env}",
            "INFO log_lines:   0/0/0 |",
            "INFO log_lines: raw \\ \"3\" 0",
            "INFO log_lines: []",
        ]
    );
}

#[test]
fn level_target_and_key_values_come_first() {
    let (level, warning, id) = (Level::Warn, Level::Warn, "u");
    let logged = lines(|| {
        dd_log!(level, "computed");
        dd_log!((warning), "no misspelling");
        dd_log!(if id.is_empty() { Level::Info } else { Level::Error }, "chosen");
        dd_log!(target: "elsewhere", "target");
        dd_log!(error, target: concat!("else", "where"), user = id, n:? = Some(1), "q.k" = 1; "all {id}",);
        dd_log!(user = id; "{dd.span_id}");
    });
    assert_eq!(
        logged,
        [
            "WARN log_lines: [ids] computed",
            "WARN log_lines: [ids] no misspelling",
            "ERROR log_lines: [ids] chosen",
            "INFO elsewhere: [ids] target",
            "ERROR elsewhere: [ids] all u user=u n=Some(1) q.k=1",
            "INFO log_lines: 0 user=u",
        ]
    );
}

#[test]
fn macros_of_ones_own_pass_everything_on() {
    macro_rules! forwarded {
        ($($all:tt)*) => { dd_log!(warn, $($all)*) };
    }
    macro_rules! taken_apart {
        ($level:expr, $format:literal $(, $argument:expr)*) => { dd_log!($level, $format $(, $argument)*) };
        ($format:expr) => { dd_format!($format) };
    }
    let id = "u";
    let logged = lines(|| {
        forwarded!("{id} {}", 1);
        forwarded!(target: "elsewhere", n = 1; "{dd.span_id}");
        taken_apart!(Level::Info, "{} {dd.trace_id}", id);
    });
    assert_eq!(logged, ["WARN log_lines: [ids] u 1", "WARN elsewhere: 0 n=1", "INFO log_lines: u 0"]);
    assert_eq!(taken_apart!(concat!("a", "b")), "[dd.trace_id=0 dd.span_id=0] ab");
    assert_eq!(taken_apart!("{dd.span_id}"), "0");
}

#[test]
fn an_imported_level_is_a_level() {
    use Level::{Error, Info};
    let logged = lines(|| {
        dd_log!(Info, "info");
        dd_log!(Error, target: "elsewhere", "error");
    });
    assert_eq!(logged, ["INFO log_lines: [ids] info", "ERROR elsewhere: [ids] error"]);
}

#[test]
fn nothing_is_evaluated_when_the_level_is_off() {
    let evaluated = Cell::new(0);
    let evaluate = || evaluated.replace(evaluated.get() + 1);
    let logged = lines(|| {
        dd_log!(trace, "{}", evaluate());
        dd_log!(trace, n = evaluate(); "{} {dd.span_id}", evaluate());
    });
    assert_eq!(logged, [""; 0]);
    assert_eq!(evaluated.get(), 0);
}

#[test]
fn a_text_is_made_as_a_line_is() {
    let (n, id) = (3, "u");
    let ids = "[dd.trace_id=0 dd.span_id=0]";
    assert_eq!(dd_format!("plain"), format!("{ids} plain"));
    assert_eq!(dd_format!("{n:>2} {} {0}", id,), format!("{ids}  3 u u"));
    assert_eq!(dd_format!(concat!("{}", "{{}}"), id), format!("{ids} u{{}}"));
    assert_eq!(dd_format!(r#"{dd.trace_id:<2}|"{id}" {{dd.env}}"#), "0 |\"u\" {dd.env}");
}

#[test]
fn it_is_an_expression_of_the_unit_type() {
    let logged = lines(|| {
        for number in [1, 2] {
            match number {
                1 => dd_log!("arm"),
                _ => dd_log!(info, "other {dd.span_id}"),
            }
        }
    });
    assert_eq!(logged, ["INFO log_lines: [ids] arm", "INFO log_lines: other 0"]);
}
