//! The style `datadog`: ids in decimal, the upper half of the trace id and other tags in `x-datadog-tags`.
//!
//! Source: `ddtrace/tracer/textmap.go` of DataDog/dd-trace-go.

use super::carrier::Inject;
use super::inject::{Outgoing, Parts};
use super::number;
use super::settings::{MAX_TAGS_BYTES, PropagationSettings};
use super::tags::{self, IncomingTags};
use super::text::{Text, is_printable, trim_blanks};
use crate::diagnostics;
use crate::model::cut;
use crate::model::ids::{SpanId, TraceId, decimal};
use crate::model::priority::SamplingPriority;
use crate::model::upstream::{PropagationError, Upstream};

const TRACE_ID: &str = "x-datadog-trace-id";
const PARENT_ID: &str = "x-datadog-parent-id";
const PRIORITY: &str = "x-datadog-sampling-priority";
const ORIGIN: &str = "x-datadog-origin";

/// Names of the headers, in the order [`Headers::take`] knows them by.
pub(super) const HEADERS: [&str; 5] = [TRACE_ID, PARENT_ID, PRIORITY, ORIGIN, tags::HEADER];

/// Bytes of the longest origin taken from a header; it is repeated on each span.
const MAX_ORIGIN_BYTES: usize = 512;

/// What arrived so far.
#[derive(Debug, Default)]
pub(super) struct Headers {
    trace_id: Header<u64>,
    parent_id: Header<u64>,
    priority: Header<i32>,
    origin: Header<Box<str>>,
    tags: Header<IncomingTags>,
}

/// One header; of several values the first counts.
#[derive(Debug, Default)]
enum Header<T> {
    #[default]
    Absent,
    Malformed,
    Read(T),
}

impl<T> Header<T> {
    fn take(&mut self, read: impl FnOnce() -> Option<T>) {
        if let Self::Absent = self {
            *self = read().map_or(Self::Malformed, Self::Read);
        }
    }

    fn into_value(self) -> Option<T> {
        if let Self::Read(value) = self { Some(value) } else { None }
    }
}

impl Headers {
    /// Takes one value of the header at `position` of [`HEADERS`].
    pub(super) fn take(&mut self, position: usize, value: &str, tags_max_bytes: usize) {
        let value = trim_blanks(value);
        match position {
            0 => self.trace_id.take(|| number::decimal(value)),
            1 => self.parent_id.take(|| number::decimal(value)),
            2 => self.priority.take(|| number::signed(value)),
            3 => self.origin.take(|| read_origin(value)),
            _ => self.tags.take(|| Some(tags::decode(value, tags_max_bytes))),
        }
    }

    /// The context, if a usable trace id arrived and no malformed parent.
    pub(super) fn into_context(self) -> Option<Upstream> {
        let (trace_id, parent_id) = match (self.trace_id, self.parent_id) {
            (Header::Absent, _) => return None,
            (Header::Read(trace_id @ 1..), Header::Absent) => (trace_id, 0),
            (Header::Read(trace_id @ 1..), Header::Read(parent_id)) => (trace_id, parent_id),
            _ => {
                diagnostics::debug(format_args!("the ids of the incoming x-datadog headers are malformed"));
                return None;
            }
        };
        if let Header::Malformed = self.priority {
            diagnostics::debug(format_args!("the incoming {PRIORITY} is not an integer"));
        }
        let IncomingTags { tags, trace_id_high, error } = self.tags.into_value().unwrap_or_default();
        Some(Upstream {
            priority: self.priority.into_value().map(SamplingPriority::new),
            origin: self.origin.into_value(),
            tags,
            propagation_error: error,
            ..Upstream::new(TraceId::from_halves(trace_id_high, trace_id), SpanId::new(parent_id))
        })
    }

    /// The trace and the parent, before the context is taken out.
    pub(super) fn ids(&self) -> Option<(TraceId, SpanId)> {
        let (Header::Read(trace_id @ 1..), Header::Read(parent_id)) = (&self.trace_id, &self.parent_id)
        else {
            return None;
        };
        let high = if let Header::Read(tags) = &self.tags { tags.trace_id_high } else { 0 };
        Some((TraceId::from_halves(high, *trace_id), SpanId::new(*parent_id)))
    }
}

/// Free text, without control characters and cut at a character.
fn read_origin(value: &str) -> Option<Box<str>> {
    let value = cut(value, MAX_ORIGIN_BYTES);
    if value.is_empty() {
        return None;
    }
    if is_printable(value) {
        return Some(value.into());
    }
    Some(value.chars().map(|character| if character.is_control() { '_' } else { character }).collect())
}

/// Bytes of the longest decimal id.
const ID_BYTES: usize = 20;

/// Writes the headers; those without a value are left out.
pub(super) fn inject(
    context: &Outgoing<'_>,
    parts: &Parts,
    settings: &PropagationSettings,
    carrier: &mut dyn Inject,
) -> Option<PropagationError> {
    // One text for all, so that it is checked to be one only once.
    let mut text = Text::<{ 2 * ID_BYTES + MAX_TAGS_BYTES }>::new();
    text.push(decimal(context.trace_id.low_u64()).as_bytes());
    let parent_at = text.len();
    text.push(decimal(context.span_id.as_u64()).as_bytes());
    let tags_at = text.len();
    let error = tags::push(&mut text, context, parts, settings.tags_max_bytes);
    let (ids, tags) = text.as_str().split_at_checked(tags_at).unwrap_or_default();
    let (trace_id, parent_id) = ids.split_at_checked(parent_at).unwrap_or_default();
    carrier.set(TRACE_ID, trace_id);
    carrier.set(PARENT_ID, parent_id);
    if let Some(decision) = context.decision {
        set_priority(decision.priority, carrier);
    }
    match context.origin {
        Some(origin) if is_printable(origin) => carrier.set(ORIGIN, origin),
        Some(origin) => {
            let printable = |character| if matches!(character, ' '..='~') { character } else { '_' };
            carrier.set(ORIGIN, &origin.chars().map(printable).collect::<String>());
        }
        None => {}
    }
    if !tags.is_empty() {
        carrier.set(tags::HEADER, tags);
    }
    error
}

fn set_priority(priority: SamplingPriority, carrier: &mut dyn Inject) {
    match priority.as_i32() {
        -1 => carrier.set(PRIORITY, "-1"),
        0 => carrier.set(PRIORITY, "0"),
        1 => carrier.set(PRIORITY, "1"),
        2 => carrier.set(PRIORITY, "2"),
        other => carrier.set(PRIORITY, &other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(values: &[(&str, &str)]) -> Option<Upstream> {
        let mut headers = Headers::default();
        for (name, value) in values {
            headers.take(HEADERS.iter().position(|header| header == name).unwrap(), value, 512);
        }
        headers.into_context()
    }

    #[test]
    fn trace_id_must_be_a_decimal_number_above_zero() {
        for trace_id in ["0", "abc", "-1", "18446744073709551616", "", "1,2", "0x5"] {
            assert_eq!(
                context(&[(TRACE_ID, trace_id), (PARENT_ID, "5"), (PRIORITY, "1")]),
                None,
                "{trace_id:?}"
            );
        }
        assert_eq!(context(&[(PARENT_ID, "5"), (tags::HEADER, "_dd.p.dm=-4")]), None);
        assert_eq!(context(&[(TRACE_ID, " 9 "), (PARENT_ID, "5")]).unwrap().trace_id.as_u128(), 9);
    }

    #[test]
    fn parent_may_be_missing_or_zero_but_not_malformed() {
        assert!(context(&[(TRACE_ID, "9")]).unwrap().parent_id.is_zero());
        assert!(context(&[(TRACE_ID, "9"), (PARENT_ID, "0")]).unwrap().parent_id.is_zero());
        assert_eq!(context(&[(TRACE_ID, "9"), (PARENT_ID, "abc")]), None);
    }

    #[test]
    fn priority_is_kept_literally_or_left_undecided() {
        let priority = |text| {
            context(&[(TRACE_ID, "9"), (PRIORITY, text)]).unwrap().priority.map(SamplingPriority::as_i32)
        };
        assert_eq!((priority("-2"), priority("5"), priority("x")), (Some(-2), Some(5), None));
        assert_eq!(context(&[(TRACE_ID, "9")]).unwrap().priority, None);
    }

    #[test]
    fn first_of_several_values_counts() {
        assert_eq!(context(&[(TRACE_ID, "9"), (TRACE_ID, "10")]).unwrap().trace_id.as_u128(), 9);
        assert_eq!(context(&[(TRACE_ID, "x"), (TRACE_ID, "10")]), None);
    }

    #[test]
    fn origin_is_free_text_without_control_characters() {
        let origin =
            |text: &str| context(&[(TRACE_ID, "9"), (ORIGIN, text)]).unwrap().origin.map(String::from);
        assert_eq!(origin("synthetics-browser;a=b,c").as_deref(), Some("synthetics-browser;a=b,c"));
        assert_eq!(origin("a\r\nbé").as_deref(), Some("a__bé"));
        assert_eq!(origin(" "), None);
        for (length, expected) in [(511, 511), (512, 512), (513, 512)] {
            assert_eq!(origin(&"x".repeat(length)).unwrap().len(), expected);
        }
    }
}
