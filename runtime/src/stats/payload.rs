//! Buckets as the MessagePack of `/v0.6/stats`.
//!
//! Source: `pkg/proto/pbgo/trace/stats.proto` of DataDog/datadog-agent for the fields, which are written in Pascal case.

use rmp::encode::{
    write_array_len, write_bin, write_bool, write_map_len, write_sint, write_str, write_u32, write_uint,
};

use super::bucket::{BUCKET_NS, Bucket, Group};
use super::key::{Parts, Text};

/// What all payloads of a tracer have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    pub(crate) env: Option<Box<str>>,
    pub(crate) version: Option<Box<str>>,
    pub(crate) service: Box<str>,
    pub(crate) runtime_id: Box<str>,
}

/// Writes payloads, numbering them.
#[derive(Debug)]
pub(super) struct Payloads {
    header: Header,
    sequence: u64,
}

/// The environment of a payload for which nobody named one.
const UNKNOWN_ENV: &str = "unknown-env";
/// Bytes of a payload beside its groups and texts of the header, at most.
const FRAME: usize = 512;

/// A payload before its lengths are known: buckets by their starts, with their groups written.
#[derive(Debug, Default)]
struct Draft {
    buckets: Vec<(u64, u32, Vec<u8>)>,
    bytes: usize,
}

impl Payloads {
    pub(super) fn new(header: Header) -> Self {
        Self { header, sequence: 0 }
    }

    /// Writes the buckets, each group once, into as few payloads of at most `max_bytes` as will do; a group that alone is
    /// larger is left out. `default_env` is the environment where the tracer has none.
    pub(super) fn write(
        &mut self,
        buckets: &[Bucket],
        default_env: Option<&str>,
        max_bytes: usize,
    ) -> Vec<Vec<u8>> {
        let env = self.header.env.as_deref().or(default_env).unwrap_or(UNKNOWN_ENV).to_owned();
        let Header { version, service, runtime_id, .. } = &self.header;
        let texts = env.len()
            + version.as_ref().map_or(0, |version| version.len())
            + service.len()
            + runtime_id.len();
        let room = max_bytes.saturating_sub(FRAME + texts);
        let mut payloads = Vec::new();
        let mut draft = Draft::default();
        let mut group = Vec::new();
        for bucket in buckets {
            for (key, counts) in bucket.groups() {
                let Some(parts) = Parts::read(key) else { continue };
                group.clear();
                put_group(&mut group, &parts, counts);
                if group.len() + BUCKET_FRAME > room {
                    continue;
                }
                if !draft.has_room(bucket.start, group.len(), room) {
                    payloads.push(self.finish(&std::mem::take(&mut draft), &env));
                }
                draft.add(bucket.start, &group);
            }
        }
        if !draft.buckets.is_empty() {
            payloads.push(self.finish(&draft, &env));
        }
        payloads
    }

    fn finish(&mut self, draft: &Draft, env: &str) -> Vec<u8> {
        self.sequence += 1;
        let Header { version, service, runtime_id, .. } = &self.header;
        let mut out = Vec::with_capacity(draft.bytes + FRAME);
        let texts = [
            ("Hostname", ""),
            ("Env", env),
            ("Version", version.as_deref().unwrap_or_default()),
            ("Lang", "rust"),
            ("TracerVersion", env!("CARGO_PKG_VERSION")),
            ("RuntimeID", runtime_id),
            ("Service", service),
        ];
        put_map(&mut out, texts.len() + 2);
        for (name, text) in texts {
            put_texts(&mut out, [name, text]);
        }
        put_number(&mut out, "Sequence", self.sequence);
        put_texts(&mut out, ["Stats"]);
        put_array(&mut out, draft.buckets.len());
        for (start, count, groups) in &draft.buckets {
            put_map(&mut out, 4);
            put_number(&mut out, "Start", *start);
            put_number(&mut out, "Duration", BUCKET_NS);
            put_number(&mut out, "AgentTimeShift", 0);
            put_texts(&mut out, ["Stats"]);
            put_array(&mut out, *count as usize);
            out.extend_from_slice(groups);
        }
        out
    }
}

/// Bytes of a bucket beside its groups, at most.
const BUCKET_FRAME: usize = 64;

impl Draft {
    fn has_room(&self, start: u64, bytes: usize, room: usize) -> bool {
        let frame = if self.buckets.iter().any(|(known, ..)| *known == start) { 0 } else { BUCKET_FRAME };
        self.bytes + frame + bytes <= room
    }

    fn add(&mut self, start: u64, group: &[u8]) {
        let place = self.buckets.iter().position(|(known, ..)| *known == start).unwrap_or_else(|| {
            self.bytes += BUCKET_FRAME;
            self.buckets.push((start, 0, Vec::new()));
            self.buckets.len() - 1
        });
        if let Some((_, count, groups)) = self.buckets.get_mut(place) {
            *count += 1;
            groups.extend_from_slice(group);
            self.bytes += group.len();
        }
    }
}

fn put_group(out: &mut Vec<u8>, parts: &Parts<'_>, group: &Group) {
    let texts = [
        ("Service", Text::Service),
        ("Name", Text::Name),
        ("Resource", Text::Resource),
        ("Type", Text::Type),
        ("SpanKind", Text::Kind),
        ("GRPCStatusCode", Text::Grpc),
        ("HTTPMethod", Text::Method),
        ("HTTPEndpoint", Text::Endpoint),
        ("srv_src", Text::ServiceSource),
    ];
    put_map(out, texts.len() + 11);
    for (name, text) in texts {
        let text = String::from_utf8_lossy(parts.text(text));
        put_texts(out, [name, &text]);
    }
    put_texts(out, ["DBType", ""]);
    put_texts(out, ["HTTPStatusCode"]);
    // Writing to memory does not fail, here and below.
    let _ = write_u32(out, parts.status);
    for (name, number) in [
        ("Hits", group.hits),
        ("Errors", group.errors),
        ("TopLevelHits", group.top_level_hits),
        ("Duration", group.duration),
    ] {
        put_number(out, name, number);
    }
    for (name, sketch) in [("OkSummary", &group.ok), ("ErrorSummary", &group.failed)] {
        put_texts(out, [name]);
        let _ = write_bin(out, &sketch.to_protobuf());
    }
    put_texts(out, ["Synthetics"]);
    let _ = write_bool(out, parts.is_synthetic);
    put_texts(out, ["IsTraceRoot"]);
    // A boolean that may be unknown: 0 would be that, 1 is true.
    let _ = write_sint(out, if parts.is_root { 1 } else { 2 });
    put_texts(out, ["PeerTags"]);
    put_array(out, parts.each_peer().count());
    for peer in parts.each_peer() {
        put_texts(out, [&*String::from_utf8_lossy(peer)]);
    }
}

fn put_texts<const N: usize>(out: &mut Vec<u8>, texts: [&str; N]) {
    for text in texts {
        let _ = write_str(out, text);
    }
}

fn put_number(out: &mut Vec<u8>, name: &str, number: u64) {
    put_texts(out, [name]);
    let _ = write_uint(out, number);
}

fn put_map(out: &mut Vec<u8>, len: usize) {
    let _ = write_map_len(out, len as u32);
}

fn put_array(out: &mut Vec<u8>, len: usize) {
    let _ = write_array_len(out, len as u32);
}
