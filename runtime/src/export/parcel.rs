//! What is sent to the agent: a question or a body, and the headers that say what it is.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};

use super::headers::{self, TRACE_COUNT};

/// What is to be sent.
#[derive(Debug)]
pub(crate) enum Content {
    /// What the agent says of itself.
    Question,
    /// Statistics of spans.
    Statistics(Vec<u8>),
    /// Chunks of spans, so many of them. `told` where the tracer computes statistics.
    Traces { body: Bytes, chunks: u32, told: Option<Dropped> },
}

impl Content {
    /// Where it is sent.
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Content::Question => INFO_PATH,
            Content::Statistics(_) => STATISTICS_PATH,
            Content::Traces { .. } => TRACES_PATH,
        }
    }
}

/// What stayed away because it is not kept, as the agent is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) traces: usize,
    pub(crate) spans: usize,
}

impl Dropped {
    pub(crate) fn add(&mut self, traces: usize, spans: usize) {
        self.traces = self.traces.saturating_add(traces);
        self.spans = self.spans.saturating_add(spans);
    }
}

/// Content as a request, to be sent once or more.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(super) request: Request,
    /// The most that is read of an answer.
    pub(super) max_answer: usize,
    /// Whether the answer has rates, of which the version is told.
    pub(super) has_rates: bool,
}

pub(super) const TRACES_PATH: &str = "/v0.4/traces";
const INFO_PATH: &str = "/info";
const STATISTICS_PATH: &str = "/v0.6/stats";
/// Room for 10 000 rates, of which each takes at most 350 bytes, since the agent cuts a service at 100 and an environment at
/// 200 bytes (`pkg/trace/traceutil/normalize` of DataDog/datadog-agent).
pub(super) const MAX_RATES: usize = 4 << 20;
const MAX_INFO: usize = 1 << 20;
/// An answer that says nothing but that it is one.
const MAX_OTHER: usize = 64 << 10;

impl Parcel {
    /// Wraps content for the agent whose payloads go to `url`, with headers that all requests have.
    pub(super) fn new(content: Content, url: &Url, headers: &HeaderMap) -> Self {
        let mut headers = headers.clone();
        let path = content.path();
        let (max_answer, body) = match content {
            Content::Question => (MAX_INFO, None),
            Content::Statistics(body) => {
                headers.insert(CONTENT_TYPE, MSGPACK);
                (MAX_OTHER, Some(body.into()))
            }
            Content::Traces { body, chunks, told } => {
                headers.insert(CONTENT_TYPE, MSGPACK);
                headers::add_for_traces(&mut headers);
                headers.insert(TRACE_COUNT, chunks.into());
                put_told(&mut headers, told);
                (MAX_RATES, Some(body.into()))
            }
        };
        let mut url = url.clone();
        if path != TRACES_PATH {
            let prefix = url.path().strip_suffix(TRACES_PATH).unwrap_or_default().to_owned();
            url.set_path(&(prefix + path));
        }
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::new(method, url);
        *request.headers_mut() = headers;
        *request.body_mut() = body;
        Self { request, max_answer, has_rates: path == TRACES_PATH }
    }
}

const MSGPACK: HeaderValue = HeaderValue::from_static("application/msgpack");
const COMPUTED_STATS: HeaderName = HeaderName::from_static("datadog-client-computed-stats");
const DROPPED_TRACES: HeaderName = HeaderName::from_static("datadog-client-dropped-p0-traces");
const DROPPED_SPANS: HeaderName = HeaderName::from_static("datadog-client-dropped-p0-spans");

/// Says that statistics are computed, and of what stayed away; nothing where nothing did.
fn put_told(headers: &mut HeaderMap, told: Option<Dropped>) {
    let Some(Dropped { traces, spans }) = told else { return };
    headers.insert(COMPUTED_STATS, HeaderValue::from_static("yes"));
    for (name, count) in [(DROPPED_TRACES, traces), (DROPPED_SPANS, spans)] {
        if count > 0 {
            headers.insert(name, count.into());
        }
    }
}
