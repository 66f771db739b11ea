//! The styles `b3` and `b3multi`: ids in hexadecimal and whether the trace is sampled; nothing else of ours.
//!
//! Source: <https://github.com/openzipkin/b3-propagation>; where it leaves a choice, `ddtrace/propagation/http.py` of
//! DataDog/dd-trace-py.

use super::number;
use super::text::{Text, trim_blanks};
use crate::diagnostics;
use crate::model::SamplingPriority;
use crate::model::ids::{self, SpanId, TraceId};
use crate::model::upstream::{Upstream, pieces};

/// The one header: `{trace id}-{span id}-{state}-{parent id}`, the last two not always there.
pub(super) const SINGLE: &str = "b3";
/// The several headers: trace id, span id, sampled, flags, and one that is never written nor looked at.
pub(super) const MULTI: [&str; 5] =
    ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid"];

/// What one of the two styles said so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct B3 {
    trace_id: Field<TraceId>,
    span_id: Field<SpanId>,
    sampled: Option<SamplingPriority>,
    is_debug: bool,
}

/// Of several values the first counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Field<T> {
    #[default]
    Absent,
    Malformed,
    Read(T),
}

impl<T> Field<T> {
    fn take(&mut self, value: Option<T>) {
        if let Self::Absent = self {
            *self = value.map_or(Self::Malformed, Self::Read);
        }
    }
}

impl B3 {
    /// Takes a value of the one header.
    pub(super) fn take_single(&mut self, value: &str) {
        let mut parts = pieces(trim_blanks(value), b'-');
        let (trace_id, span_id) = (parts.next().unwrap_or_default(), parts.next());
        // A state alone is a hint for the sampler, and no context.
        let is_state_alone = span_id.is_none() && trace_id.len() == 1;
        if !matches!(self.trace_id, Field::Absent) {
            return;
        }
        self.trace_id.take(if is_state_alone { Some(TraceId::new(0)) } else { read_trace_id(trace_id) });
        if let Some(span_id) = span_id {
            self.span_id.take(read_span_id(span_id));
        }
        match parts.next() {
            Some("0") => self.sampled = Some(SamplingPriority::AUTO_REJECT),
            Some("1") => self.sampled = Some(SamplingPriority::AUTO_KEEP),
            Some("d") => self.is_debug = true,
            _ => {}
        }
    }

    /// Takes a value of the header at `position` of [`MULTI`].
    pub(super) fn take_multi(&mut self, position: usize, value: &str) {
        let value = trim_blanks(value);
        match position {
            0 => self.trace_id.take(read_trace_id(value)),
            1 => self.span_id.take(read_span_id(value)),
            2 if self.sampled.is_none() => match value {
                "0" => self.sampled = Some(SamplingPriority::AUTO_REJECT),
                "1" => self.sampled = Some(SamplingPriority::AUTO_KEEP),
                _ => {}
            },
            3 => self.is_debug |= value == "1",
            _ => {}
        }
    }

    /// The context, if there is a trace id; its parent may be missing.
    pub(super) fn into_context(self) -> Option<Upstream> {
        let parent_id = match self.span_id {
            Field::Absent => Some(SpanId::new(0)),
            Field::Malformed => None,
            Field::Read(id) => Some(id),
        };
        match (self.trace_id, parent_id) {
            (Field::Read(trace_id), Some(parent_id)) if !trace_id.is_zero() => {
                let debug = self.is_debug.then_some(SamplingPriority::USER_KEEP);
                Some(Upstream { priority: debug.or(self.sampled), ..Upstream::new(trace_id, parent_id) })
            }
            (Field::Absent, _) => None,
            _ => {
                diagnostics::debug(format_args!("the ids of the incoming B3 headers are malformed or zero"));
                None
            }
        }
    }
}

fn read_trace_id(text: &str) -> Option<TraceId> {
    number::loose_hex(text, 32).map(TraceId::new)
}

fn read_span_id(text: &str) -> Option<SpanId> {
    number::loose_hex(text, 16).map(|id| SpanId::new(id as u64))
}

/// The trace id, with its upper half only where that is not zero.
fn push_trace_id<const N: usize>(text: &mut Text<N>, trace_id: TraceId) {
    if trace_id.high_u64() != 0 {
        text.push(&ids::hex(trace_id.high_u64()));
    }
    text.push(&ids::hex(trace_id.low_u64()));
}

/// The value of the one header.
pub(super) fn single(trace_id: TraceId, span_id: SpanId, priority: Option<SamplingPriority>) -> Text<51> {
    let mut text = Text::new();
    push_trace_id(&mut text, trace_id);
    text.push(b"-");
    text.push(&ids::hex(span_id.as_u64()));
    if let Some(priority) = priority {
        text.push(match priority.as_i32() {
            2.. => b"-d",
            1 => b"-1",
            _ => b"-0",
        });
    }
    text
}

/// Calls `set` with each of the several headers.
pub(super) fn multi(
    trace_id: TraceId,
    span_id: SpanId,
    priority: Option<SamplingPriority>,
    mut set: impl FnMut(&'static str, &str),
) {
    let [trace_id_name, span_id_name, sampled, flags, _] = MULTI;
    let mut text = Text::<32>::new();
    push_trace_id(&mut text, trace_id);
    set(trace_id_name, text.as_str());
    text.truncate(0);
    text.push(&ids::hex(span_id.as_u64()));
    set(span_id_name, text.as_str());
    match priority.map(SamplingPriority::as_i32) {
        // Debug stands for sampled.
        Some(2..) => set(flags, "1"),
        Some(1) => set(sampled, "1"),
        Some(_) => set(sampled, "0"),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "6a5c1f40000000003a7b9c1d2e4f6081";
    const SPAN: &str = "7b2d4e6f80912a3c";

    fn of_single(value: &str) -> Option<(u128, u64, Option<i32>)> {
        let mut headers = B3::default();
        headers.take_single(value);
        ids_and_priority(headers)
    }

    fn of_multi(values: &[(usize, &str)]) -> Option<(u128, u64, Option<i32>)> {
        let mut headers = B3::default();
        for (position, value) in values {
            headers.take_multi(*position, value);
        }
        ids_and_priority(headers)
    }

    fn ids_and_priority(headers: B3) -> Option<(u128, u64, Option<i32>)> {
        let context = headers.into_context()?;
        Some((
            context.trace_id.as_u128(),
            context.parent_id.as_u64(),
            context.priority.map(SamplingPriority::as_i32),
        ))
    }

    #[test]
    fn one_header_gives_ids_and_state() {
        let (trace_id, span_id) = (0x6a5c_1f40_0000_0000_3a7b_9c1d_2e4f_6081, 0x7b2d_4e6f_8091_2a3c);
        for (rest, priority) in [
            ("", None),
            ("-0", Some(0)),
            ("-1", Some(1)),
            ("-d", Some(2)),
            ("-x", None),
            ("-1-00f067aa0ba902b7", Some(1)),
            ("-d-nonsense", Some(2)),
        ] {
            let text = format!(" {TRACE}-{SPAN}{rest} ");
            assert_eq!(of_single(&text), Some((trace_id, span_id, priority)), "{text}");
            assert_eq!(of_single(&text.to_uppercase()).map(|(id, ..)| id), Some(trace_id));
        }
        assert_eq!(of_single("4d-1f4"), Some((77, 500, None)));
        assert_eq!(of_single("3a7b9c1d2e4f6081"), Some((0x3a7b_9c1d_2e4f_6081, 0, None)));
    }

    #[test]
    fn state_alone_and_nonsense_give_no_context() {
        let too_long = format!("0{TRACE}-{SPAN}");
        for text in
            ["0", "1", "d", "", "-", "0-0-1", "xyz-1-1", "4d-", "4d-x", "4d-1f4g-1", "-1f4-1", &too_long]
        {
            assert_eq!(of_single(text), None, "{text}");
        }
    }

    #[test]
    fn several_headers_give_ids_and_priority() {
        assert_eq!(of_multi(&[(0, "4D"), (1, "1F4"), (2, "1")]), Some((77, 500, Some(1))));
        assert_eq!(of_multi(&[(0, "4d"), (1, "1f4"), (2, "0"), (3, "1")]), Some((77, 500, Some(2))));
        assert_eq!(of_multi(&[(3, "1"), (2, "0"), (1, "1f4"), (0, "4d")]), Some((77, 500, Some(2))));
        for words in ["true", "false", "", "2", "d"] {
            assert_eq!(of_multi(&[(0, "4d"), (1, "1f4"), (2, words)]), Some((77, 500, None)), "{words}");
        }
        assert_eq!(of_multi(&[(0, "4d"), (4, "7")]), Some((77, 0, None)));
        for ids in [[(0, "0"), (1, "1")], [(0, "x"), (1, "1")], [(0, "1"), (1, "x")], [(1, "1"), (4, "1")]] {
            assert_eq!(of_multi(&ids), None, "{ids:?}");
        }
    }

    #[test]
    fn first_of_several_values_counts() {
        assert_eq!(
            of_multi(&[(0, "4d"), (0, "4e"), (1, "1"), (1, "x"), (2, "1"), (2, "0")]),
            Some((77, 1, Some(1)))
        );
        let mut headers = B3::default();
        headers.take_single("4d-1-0");
        headers.take_single("4e-2-d");
        assert_eq!(ids_and_priority(headers), Some((77, 1, Some(0))));
    }

    #[test]
    fn ids_are_written_padded_in_lowercase() {
        let (trace_id, span_id) = (TraceId::new(0x4D), SpanId::new(0x1F4));
        let written = |priority: Option<i32>| {
            let priority = priority.map(SamplingPriority::new);
            let mut several = Vec::new();
            multi(trace_id, span_id, priority, |name, value| several.push(format!("{name}: {value}")));
            (single(trace_id, span_id, priority).as_str().to_owned(), several)
        };
        let ids = ["x-b3-traceid: 000000000000004d", "x-b3-spanid: 00000000000001f4"];
        for (priority, state, header) in [
            (None, "", None),
            (Some(-1), "-0", Some("x-b3-sampled: 0")),
            (Some(0), "-0", Some("x-b3-sampled: 0")),
            (Some(1), "-1", Some("x-b3-sampled: 1")),
            (Some(2), "-d", Some("x-b3-flags: 1")),
            (Some(3), "-d", Some("x-b3-flags: 1")),
        ] {
            let (one, several) = written(priority);
            assert_eq!(one, format!("000000000000004d-00000000000001f4{state}"));
            assert_eq!(several, ids.into_iter().chain(header).collect::<Vec<_>>());
        }
        let wide = TraceId::new(0x6a5c_1f40_0000_0000_3a7b_9c1d_2e4f_6081);
        let text = single(wide, SpanId::new(0x7b2d_4e6f_8091_2a3c), Some(SamplingPriority::AUTO_KEEP));
        assert_eq!(text.as_str(), format!("{TRACE}-{SPAN}-1"));
    }
}
