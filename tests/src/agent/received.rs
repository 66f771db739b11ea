//! What reached the fake agent.

use crate::http::find;
use crate::statistics::{StatisticsPayload, decode_statistics};
use crate::tree::SpanTree;
use crate::wire::WireSpan;

/// One request, as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// All headers, in their order.
    pub headers: Vec<(String, String)>,
    /// The body; empty where the agent reset the connection.
    pub body: Vec<u8>,
    /// The chunks of a trace payload.
    pub chunks: Vec<Vec<WireSpan>>,
    /// The status that was answered; `None` where no whole answer was sent.
    pub answered: Option<u16>,
    /// The number of the connection on which it came, from 0.
    pub connection: usize,
}

impl Request {
    /// The value of a header, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Whether it is a trace payload.
    pub fn is_traces(&self) -> bool {
        is_traces(&self.path)
    }

    /// Whether it is a payload of statistics.
    pub fn is_statistics(&self) -> bool {
        self.path.ends_with("/v0.6/stats")
    }

    /// Whether it was answered with success.
    pub fn is_accepted(&self) -> bool {
        self.answered.is_some_and(|status| (200..300).contains(&status))
    }

    /// The number of its spans.
    pub fn span_count(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum()
    }
}

pub(super) fn is_traces(path: &str) -> bool {
    path.ends_with("/traces")
}

/// All that reached a fake agent.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// All requests, in the order in which they were read.
    pub requests: Vec<Request>,
    /// How many connections were made.
    pub connections: usize,
}

impl Received {
    /// The trace payloads with spans in them: not the empty ones that ask whether the agent is there.
    pub fn payloads(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.is_traces() && !request.chunks.is_empty())
    }

    /// The accepted payloads of statistics.
    ///
    /// # Panics
    /// Where one cannot be decoded.
    pub fn statistics(&self) -> Vec<StatisticsPayload> {
        let accepted =
            self.requests.iter().filter(|request| request.is_statistics() && request.is_accepted());
        let decoded = accepted.map(|request| decode_statistics(&request.body));
        decoded.map(|payload| payload.unwrap_or_else(|fault| panic!("{fault}"))).collect()
    }

    /// The chunks of the accepted payloads.
    pub fn chunks(&self) -> impl Iterator<Item = &[WireSpan]> {
        self.payloads()
            .filter(|request| request.is_accepted())
            .flat_map(|request| request.chunks.iter().map(Vec::as_slice))
    }

    /// The spans of the accepted payloads.
    pub fn spans(&self) -> impl Iterator<Item = &WireSpan> {
        self.chunks().flatten()
    }

    /// The number of spans in accepted payloads.
    pub fn span_count(&self) -> usize {
        self.spans().count()
    }

    /// The only span of this name.
    ///
    /// # Panics
    /// Where there is none, or more than one.
    pub fn span(&self, name: &str) -> &WireSpan {
        let found: Vec<_> = self.spans().filter(|span| span.name == name).collect();
        match found[..] {
            [span] => span,
            _ => panic!("{} spans are named {name}:\n{}", found.len(), self.tree()),
        }
    }

    /// The spans of the accepted payloads as a tree.
    pub fn tree(&self) -> SpanTree<'_> {
        SpanTree::of(self.spans())
    }
}
