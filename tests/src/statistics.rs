//! Statistics as they are on the wire of `/v0.6/stats`.

use serde::Deserialize;

/// A payload of statistics.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatisticsPayload {
    /// The environment.
    pub env: String,
    /// The version of the service.
    pub version: String,
    /// The language of the tracer.
    pub lang: String,
    /// The number of the payload in its process.
    pub sequence: u64,
    /// Buckets of time.
    pub stats: Vec<StatisticsBucket>,
}

/// Ten seconds of statistics.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatisticsBucket {
    /// Nanoseconds since the Unix epoch.
    pub start: u64,
    /// Nanoseconds.
    pub duration: u64,
    /// Groups of spans.
    pub stats: Vec<StatisticsGroup>,
}

/// Spans that are counted together.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatisticsGroup {
    /// The service.
    pub service: String,
    /// The operation name.
    pub name: String,
    /// The resource.
    pub resource: String,
    /// The tag `span.kind`, empty without it.
    pub span_kind: String,
    /// The status of HTTP, 0 without one.
    #[serde(rename = "HTTPStatusCode")]
    pub http_status: u32,
    /// 1 for roots of traces, 2 for others.
    pub is_trace_root: i32,
    /// How many there were.
    pub hits: u64,
    /// How many of them failed.
    pub errors: u64,
    /// How many of them are the first of their service.
    pub top_level_hits: u64,
    /// Nanoseconds of all of them.
    pub duration: u64,
}

/// Decodes a payload.
///
/// # Errors
/// Why it is none.
pub fn decode_statistics(body: &[u8]) -> Result<StatisticsPayload, String> {
    rmp_serde::from_slice(body).map_err(|error| format!("not statistics: {error}"))
}
