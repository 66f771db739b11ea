//! Plain data of a trace: ids, priority, call sites, span records, tags, chunks.
//!
//! Nothing here reads a clock, locks across rooms, or does I/O. Everything above speaks in these types.

mod agent_info;
mod attributes;
mod baggage;
mod chunk;
mod compact;
mod entry;
mod event;
mod facts;
pub(crate) mod ids;
mod left_out;
mod link;
mod manual;
mod mapping;
mod msgpack;
mod open_spans;
pub(crate) mod priority;
mod record;
mod site;
pub(crate) mod tag_memory;
mod tag_value;
mod tags;
#[cfg(feature = "enable")]
pub(crate) mod texts;
#[cfg(feature = "enable")]
pub(crate) mod times;
#[cfg(feature = "enable")]
mod told_starts;
pub(crate) mod upstream;

pub use attributes::AttributeValue;
pub use event::SpanEvent;
pub use ids::{SpanId, TraceId};
pub use link::SpanLink;
pub use site::CallSite;
pub(crate) use site::SiteName;
pub use tag_value::TagValue;
pub(crate) use tag_value::sealed::{Is, WriteTag};

pub(crate) use agent_info::{AgentInfo, LatestAgentInfo, TagFilters};
pub(crate) use attributes::Attribute;
pub(crate) use baggage::Baggage;
pub(crate) use chunk::{ChunkBatch, ChunkHead};
pub(crate) use compact::COMPACT_FROM;
#[cfg(feature = "enable")]
pub(crate) use compact::{MAX_TAG_BYTES, MAX_TAGS};
pub(crate) use entry::{Entry, EntryKind};
pub(crate) use event::EventView;
pub(crate) use facts::TraceFacts;
pub(crate) use left_out::LeftOut;
pub(crate) use link::{FLAGS_KNOWN, LinkView};
pub(crate) use manual::ManualTag;
pub(crate) use mapping::Mapping;
pub(crate) use msgpack::{copy_ends, packed_len, packed_text};
pub(crate) use open_spans::{OpenSpan, OpenSpans, SourceLine};
pub(crate) use priority::{Applied, Decision, Mechanism, SamplingPriority, SelectedSpan};
pub(crate) use record::{Flags, NO_INDEX, Record, SpanBuffer};
pub(crate) use tags::{MAX_STRUCT, MAX_VALUE, TagLog, cut};
#[cfg(feature = "enable")]
pub(crate) use texts::is_other_service;
#[cfg(feature = "enable")]
pub(crate) use told_starts::ToldStarts;
pub(crate) use upstream::{PropagatedTags, Upstream};
