//! OpenTelemetry's member of `tracestate`, `ot=rv:…;th:…`: how random the trace is, and from where on it is kept.
//!
//! Ours for a decision that a rate and the trace id gave. What arrived is passed on and never worked out again.
//!
//! Source: <https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>; the randomness of a trace id,
//! `ddtrace/tracer/otel_sampling.go` of DataDog/dd-trace-go.

use super::text::Text;
use crate::model::ids::TraceId;
use crate::model::priority::Decision;
use crate::model::upstream::{cut, pieces};

pub(super) const KEY: &str = "ot";

/// Bytes of our own member, `ot=` and both numbers.
pub(super) const MAX_BYTES: usize = "ot=rv:".len() + DIGITS + ";th:".len() + DIGITS;
/// Hexadecimal digits of 56 bits.
const DIGITS: usize = 14;
/// Thresholds go from 0 to this, exclusive.
const BITS_56: u64 = 1 << 56;
/// How far the numbers may be apart by rounding alone: a rate has 53 bits.
const EDGE: u64 = 1 << 5;
/// Source: `knuthFactor` in `ddtrace/tracer/sampler.go` of DataDog/dd-trace-go.
const FACTOR: u64 = 1_111_111_111_111_111_111;

/// The member for a decision taken here, where a rate above 0 and the trace id took it.
pub(super) fn member(trace_id: TraceId, decision: &Decision) -> Option<Text<MAX_BYTES>> {
    let rate = decision.probability().filter(|rate| *rate > 0.0)?;
    let threshold = threshold(rate);
    let mut random = !trace_id.low_u64().wrapping_mul(FACTOR) >> 8;
    // The decision compared 64 bits: at the edge the 56 bits follow it. Further away something else decided, such as a limit.
    if decision.priority.is_keep() != (random >= threshold) {
        if random.abs_diff(threshold) > EDGE {
            return None;
        }
        random = if decision.priority.is_keep() { threshold } else { threshold.checked_sub(1)? };
    }
    let mut text = Text::new();
    text.push(b"ot=rv:");
    text.push(&hex(random));
    text.push(b";th:");
    let digits = hex(threshold);
    let trimmed = digits.iter().rposition(|digit| *digit != b'0').unwrap_or(0);
    text.push(digits.get(..=trimmed).unwrap_or_default());
    Some(text)
}

/// The part of the random numbers that is rejected.
fn threshold(rate: f64) -> u64 {
    (((1.0 - rate.clamp(0.0, 1.0)) * BITS_56 as f64).round() as u64).min(BITS_56.saturating_sub(1))
}

/// Fourteen digits.
fn hex(value: u64) -> [u8; DIGITS] {
    let [_, _, digits @ ..] = crate::model::ids::hex(value);
    digits
}

/// The value of the member that arrived, without an `rv` or `th` that is malformed; empty where nothing is left.
pub(super) fn sanitized(value: &str) -> String {
    keep(value, |name, value| match name {
        "rv" => value.len() == DIGITS && is_hex(value),
        "th" => (1..=DIGITS).contains(&value.len()) && is_hex(value),
        _ => true,
    })
}

/// The value of the member without its threshold, which a keep by hand overruled.
pub(super) fn without_threshold(value: &str) -> String {
    keep(value, |name, _| name != "th")
}

fn keep(all: &str, is_kept: impl Fn(&str, &str) -> bool) -> String {
    let mut kept = String::new();
    for pair in pieces(all, b';') {
        let Some((name, value)) = cut(pair, b':') else { continue };
        if is_kept(name, value) {
            if kept.is_empty() {
                // Nothing is taken for a value of which nothing is kept: there may be thousands.
                kept.reserve_exact(all.len());
            } else {
                kept.push(';');
            }
            kept.push_str(pair);
        }
    }
    kept
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Applied, Mechanism, SamplingPriority};

    fn text(low: u64, priority: i32, mechanism: u8, rate: Option<f64>) -> Option<String> {
        let decision = Decision {
            priority: SamplingPriority::new(priority),
            mechanism: Some(Mechanism::new(mechanism)),
            rate: rate.map(Applied::of),
        };
        member(TraceId::from_halves(7, low), &decision).map(|text| text.as_str().to_owned())
    }

    #[test]
    fn randomness_is_that_of_the_low_half() {
        for (low, expected) in [
            (3, "d1bd9efe7cb2aa"),
            (42, "785eb1ead1c555"),
            (4_242, "7d5c31a4c2daac"),
            (987_654_321_012_345_678, "0f7406c00803c8"),
            (4_214_133_525_480_169_601, "71d68eb968ef0a"),
        ] {
            assert_eq!(text(low, 1, 1, Some(1.0)), Some(format!("ot=rv:{expected};th:0")));
        }
    }

    #[test]
    fn threshold_is_the_rejected_part_without_trailing_zeros() {
        for (rate, expected) in [
            (0.001, "ffbe76c8b43958"),
            (0.05, "f333333333333"),
            (0.25, "c"),
            (0.3, "b333333333333"),
            (0.75, "4"),
            (0.9, "19999999999998"),
            (1.0, "0"),
        ] {
            let by_id = |priority| text(42, priority, 3, Some(rate));
            let text = by_id(1).or_else(|| by_id(-1)).unwrap();
            assert_eq!(text.rsplit_once(";th:").unwrap().1, expected, "{rate}");
        }
        assert_eq!(threshold(f64::MIN_POSITIVE), BITS_56 - 1);
    }

    #[test]
    fn only_a_rate_and_the_trace_id_give_it() {
        for (mechanism, is_given) in
            [(0, false), (1, true), (3, true), (4, false), (5, false), (11, true), (12, true)]
        {
            assert_eq!(text(3, 1, mechanism, Some(0.5)).is_some(), is_given, "{mechanism}");
        }
        assert_eq!((text(3, 1, 1, None), text(3, 0, 1, Some(0.0))), (None, None));
        // Its numbers say keep: the limit of a rule rejected it.
        assert_eq!(text(3, -1, 3, Some(0.5)), None);
        assert_eq!(text(42, 1, 3, Some(0.001)), None);
    }

    #[test]
    fn numbers_follow_the_decision_at_the_edge() {
        let random = !3_u64.wrapping_mul(FACTOR) >> 8;
        // A rate whose threshold is this number, or next to it.
        let rate = 1.0 - random as f64 / BITS_56 as f64;
        let threshold = threshold(rate);
        assert!(threshold.abs_diff(random) <= EDGE);
        let number = |priority| {
            let text = text(3, priority, 1, Some(rate)).unwrap();
            u64::from_str_radix(text.get(6..20).unwrap(), 16).unwrap()
        };
        assert!(number(1) >= threshold && number(0) < threshold);
    }

    #[test]
    fn malformed_numbers_are_dropped_alone() {
        for (value, expected) in [
            ("rv:d1bd9efe7cb2aa;th:c;x:Y", "rv:d1bd9efe7cb2aa;th:c;x:Y"),
            ("rv:d1bd9efe7cb2a;th:c", "th:c"),
            ("rv:D1BD9EFE7CB2AA;th:", ""),
            ("th:123456789012345;rv:d1bd9efe7cb2aa", "rv:d1bd9efe7cb2aa"),
            ("x:a:b;nonsense", "x:a:b"),
            ("", ""),
        ] {
            assert_eq!(sanitized(value), expected, "{value}");
        }
        assert_eq!(without_threshold("rv:d1bd9efe7cb2aa;th:c;x:Y"), "rv:d1bd9efe7cb2aa;x:Y");
    }
}
