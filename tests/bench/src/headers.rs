//! What headers cost beyond their values: allocations, and headers that are as long as a server takes them.

use std::hint::black_box;

use dd_traced::{Extract, Inject};

use crate::alloc;
use crate::measure::{Length, per_item};
use crate::peer::INCOMING;
use crate::workload::Figures;

/// Of all headers of a call that nobody should be able to make expensive.
const BYTES: usize = 64 << 10;

/// A carrier that keeps nothing.
struct Nowhere;

impl Inject for Nowhere {
    fn set(&mut self, name: &str, value: &str) {
        black_box((name, value));
    }
}

/// A carrier that holds nothing of its own.
struct Lines<'a>(&'a [(&'a str, &'a str)]);

impl Extract for Lines<'_> {
    fn for_each(&self, name: &str, f: &mut dyn FnMut(&str)) {
        self.0.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).for_each(|(_, value)| f(value));
    }
}

/// Time and allocations of both directions in every style, then of the most expensive set of hostile headers.
pub(crate) fn figures(length: Length) -> Figures {
    let parent = dd_traced::extract(&Lines(&INCOMING)).expect("the headers are those of a trace");
    let span = dd_traced::span("root").child_of(&parent).start();
    let inject = || dd_traced::inject(&span, &mut Nowhere);
    let extract = || {
        black_box(dd_traced::extract(black_box(&Lines(&INCOMING))));
    };
    // What is made at the first call only, such as the text of the baggage.
    inject();
    let per_call = |count: alloc::Allocations| count.caller as f64 / 1_000.0;
    let counted = |work: &dyn Fn()| per_call(alloc::count(|| (0..1_000).for_each(|_| work())));
    let mut figures = vec![
        ("ns, inject in all styles", per_item(length, 1_000, || (), || (0..1_000).for_each(|_| inject()))),
        ("ns, extract in all styles", per_item(length, 1_000, || (), || (0..1_000).for_each(|_| extract()))),
        ("allocations, inject", counted(&inject)),
        ("allocations, extract", counted(&extract)),
    ];
    let (mut slowest, mut largest) = (0.0_f64, 0_u64);
    for hostile in hostile() {
        let lines: Vec<(&str, &str)> = hostile.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let there_and_back = || {
            if let Some(context) = dd_traced::extract(black_box(&Lines(&lines))) {
                dd_traced::inject(&dd_traced::span("hostile").child_of(&context).start(), &mut Nowhere);
            }
        };
        let extract = || drop(black_box(dd_traced::extract(black_box(&Lines(&lines)))));
        slowest = slowest.max(per_item(length, 1, || (), there_and_back));
        largest = largest.max(alloc::count(extract).caller_bytes);
    }
    figures.push(("ms, 64 KiB of headers", slowest / 1e6));
    figures.push(("KiB allocated for them", largest as f64 / 1024.0));
    figures
}

/// Sets of headers that fill the limit, each with another weak spot in mind.
fn hostile() -> Vec<Vec<(&'static str, String)>> {
    let ids = || vec![("x-datadog-trace-id", "77".to_owned()), ("x-datadog-parent-id", "5".to_owned())];
    let trace =
        || vec![("traceparent", "00-68f0a1b200000000123456789abcdef0-0fedcba987654321-01".to_owned())];
    let filled = |piece: &str| piece.repeat(BYTES / piece.len());
    let with = |mut headers: Vec<(&'static str, String)>, name: &'static str, value: String| {
        headers.push((name, value));
        headers
    };
    let many = |name: &'static str, value: &str| {
        let mut headers = trace();
        headers.extend(std::iter::repeat_n((name, value.to_owned()), BYTES / (name.len() + value.len())));
        headers
    };
    vec![
        with(ids(), "x-datadog-tags", filled("_dd.p.a=b,")),
        with(ids(), "x-datadog-origin", filled("\u{1}é")),
        with(trace(), "tracestate", filled("a=b,")),
        with(trace(), "tracestate", filled(",")),
        with(trace(), "tracestate", filled("dd=t.a:b;")),
        with(trace(), "tracestate", filled("ot=rv:0;")),
        with(trace(), "tracestate", filled(&format!("ot={},", "rv:0;".repeat(100)))),
        with([ids(), trace()].concat(), "tracestate", filled("a=b\t,")),
        many("tracestate", "a=b"),
        many("tracestate", "dd=t.a:b"),
        many("traceparent", "00"),
        many("x-datadog-tags", "_dd.p.a=b"),
        with(ids(), "baggage", filled("k=%41,")),
        with(ids(), "baggage", (0..6_000).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",") + ",z=1"),
        with(ids(), "baggage", format!("k={}", filled("%41"))),
        with(ids(), "baggage", format!("k={},{}z=1", "v".repeat(7_900), "a=1,".repeat(60))),
        many("baggage", "k=v"),
        with(vec![], "b3", filled("a-")),
        with(vec![], "b3", filled("0")),
        many("x-b3-traceid", "a"),
    ]
}
