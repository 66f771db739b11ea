//! What a tracer has to bring to be measured: the same acts, each in its own words.

use std::hint::black_box;
use std::net::SocketAddr;

use crate::measure::Length;
use crate::workload::Figures;

/// A tracer under measurement. An act that it has not got is `None` and shows as a dash.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Starts it as its documentation says, sending to the agent at this address.
    pub(crate) start: fn(SocketAddr),
    /// Starts it switched off, as far as it can be switched off at run time.
    pub(crate) start_off: Option<fn(SocketAddr)>,
    /// Waits until nothing it recorded is waiting any more.
    pub(crate) settle: fn(),
    /// The last flush of the process.
    pub(crate) stop: fn(),
    /// Spans that wait for its worker, with its default settings, when 100 000 come in a second; at most what it takes
    /// without dropping. So many are recorded in one go: a tracer that keeps more of them works on colder memory.
    pub(crate) at_once: u32,
    /// The same in what is handed over at a time, a trace or a span of an async function, where its queue counts those.
    pub(crate) hand_overs_at_once: u32,
    /// Whether what it records reaches the agent.
    pub(crate) delivers: bool,
    /// Whether it reads `DD_TRACE_SAMPLING_RULES`.
    pub(crate) obeys_rules: bool,

    /// A trace of a root with so many children.
    pub(crate) children: Option<fn(u32)>,
    /// The same, each child with a tag of static text and one of an integer.
    pub(crate) tagged_children: Option<fn(u32)>,
    /// A trace of one span, from start to hand-over.
    pub(crate) lone_root: Option<fn()>,
    /// A traced root future that calls, one after the other, so many annotated async functions of three awaits each.
    pub(crate) async_calls: Option<fn(u32)>,
    /// So many calls of the annotated function where nothing is active.
    pub(crate) calls: Option<fn(u32)>,
    /// The context of a span whose parent came in with [`INCOMING`], injected so many times into a new map.
    pub(crate) inject: Option<fn(u32)>,
    /// [`INCOMING`] extracted so many times.
    /// What the headers of calls cost beyond their values; started already.
    pub(crate) headers: Option<fn(Length) -> Figures>,
    pub(crate) extract: Option<fn(u32)>,
    /// So many log lines with the ids of the active span, in one span.
    pub(crate) lines: Option<fn(u32)>,
    /// The same lines in the same span with ids taken once.
    pub(crate) constant_lines: Option<fn(u32)>,
    /// Lines by loggers, by the name of the workload.
    pub(crate) logger_lines: &'static [(&'static str, LoggerLines)],
    /// Makes a chunk of so many spans with two tags and gives what encodes it.
    pub(crate) encode_v04: Option<fn(u32) -> Encode>,
    /// The same in v0.5.
    pub(crate) encode_v05: Option<fn(u32) -> Encode>,
}

/// So many lines by one logger, in one span.
#[derive(Clone, Copy)]
pub(crate) struct LoggerLines {
    /// With the ids of the active span.
    pub(crate) ids: fn(u32),
    /// With ids taken once, in the same place.
    pub(crate) constant: fn(u32),
    /// Without ids.
    pub(crate) without: fn(u32),
}

/// Encodes its chunk once more and tells the length.
pub(crate) type Encode = Box<dyn FnMut() -> usize>;

impl Peer {
    /// No act at all, to be filled up with `..Peer::ABSENT`.
    pub(crate) const ABSENT: Self = Self {
        name: "",
        start: |_| (),
        start_off: None,
        settle: || (),
        stop: || (),
        at_once: 16_000,
        hand_overs_at_once: u32::MAX,
        delivers: false,
        obeys_rules: false,
        children: None,
        tagged_children: None,
        lone_root: None,
        async_calls: None,
        calls: None,
        inject: None,
        headers: None,
        extract: None,
        lines: None,
        constant_lines: None,
        logger_lines: &[],
        encode_v04: None,
        encode_v05: None,
    };
}

/// What every traced function does.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the call that is measured is that of the function around it")]
pub(crate) fn body(value: u64) -> u64 {
    black_box(value).wrapping_add(1)
}

/// Headers of a request from another traced service: datadog, tracecontext and baggage, of one and the same trace.
pub(crate) const INCOMING: [(&str, &str); 7] = [
    ("x-datadog-trace-id", "1311768467463790320"),
    ("x-datadog-parent-id", "1147797409030816545"),
    ("x-datadog-sampling-priority", "1"),
    ("x-datadog-tags", "_dd.p.tid=68f0a1b200000000,_dd.p.dm=-1"),
    ("traceparent", "00-68f0a1b200000000123456789abcdef0-0fedcba987654321-01"),
    ("tracestate", "dd=s:1;p:0fedcba987654321;t.dm:-1"),
    ("baggage", "user.id=42"),
];

/// [`INCOMING`] as the map that all of them can read.
pub(crate) fn incoming() -> std::collections::HashMap<String, String> {
    INCOMING.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
