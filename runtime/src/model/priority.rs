//! What a sampling decision is: how much a trace is wanted, who said so, at which rate.
//!
//! The decision belongs to the part of the trace in this process, not to a span.

/// How much a trace is wanted. Any integer may arrive from upstream and is passed on as it came.
///
/// Source: `ext/priority.go` of DataDog/dd-trace-go; the metric `_sampling_priority_v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SamplingPriority(i32);

impl SamplingPriority {
    pub(crate) const USER_REJECT: Self = Self(-1);
    pub(crate) const AUTO_REJECT: Self = Self(0);
    pub(crate) const AUTO_KEEP: Self = Self(1);
    pub(crate) const USER_KEEP: Self = Self(2);

    pub(crate) const fn new(value: i32) -> Self {
        Self(value)
    }

    pub(crate) const fn as_i32(self) -> i32 {
        self.0
    }

    /// Whether every component on the way keeps the trace.
    pub(crate) const fn is_keep(self) -> bool {
        self.0 > 0
    }
}

/// Who took the decision. Sent as the tag `_dd.p.dm`, a hyphen before the number.
///
/// Source: `internal/samplernames` of DataDog/dd-trace-go. Upstream may send any number up to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mechanism(u8);

impl Mechanism {
    /// No rate of the agent is known yet.
    pub(crate) const DEFAULT: Self = Self(0);
    /// A rate the agent gave for the service.
    pub(crate) const AGENT_RATE: Self = Self(1);
    /// A sampling rule or the global rate of this process.
    pub(crate) const LOCAL_RULE: Self = Self(3);
    /// The application's keep or drop.
    pub(crate) const MANUAL: Self = Self(4);
    /// A rule that a person wrote in Datadog's pages.
    pub(crate) const REMOTE_CUSTOMER: Self = Self(11);
    /// A rule of Datadog's adaptive sampling.
    pub(crate) const REMOTE_DYNAMIC: Self = Self(12);

    #[cfg(test)]
    pub(crate) const fn new(value: u8) -> Self {
        Self(value)
    }

    /// The value of `_dd.p.dm`, for instance `-4`.
    pub(crate) fn decision_maker(self) -> ShortText {
        let mut text = ShortText::default();
        text.push(b'-');
        if self.0 >= 100 {
            text.push(b'0' + self.0 / 100);
        }
        if self.0 >= 10 {
            text.push(b'0' + self.0 / 10 % 10);
        }
        text.push(b'0' + self.0 % 10);
        text
    }
}

/// A decision on a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decision {
    pub(crate) priority: SamplingPriority,
    /// Absent when the decision came from upstream without its maker: none is invented then.
    pub(crate) mechanism: Option<Mechanism>,
    /// The rate the hash of the trace id was compared with; absent when no hash was asked.
    pub(crate) rate: Option<Applied>,
}

/// A rate that decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Applied {
    /// As it was set or received, 0.0 to 1.0.
    pub(crate) rate: f64,
    /// The rule that has the rate, by its place in its list, from 1.
    pub(crate) rule: Option<u32>,
    /// The part of what the limiter was asked for that it let through, 0.0 to 1.0, where it was asked about this trace.
    pub(crate) limiter: Option<f64>,
}

impl Applied {
    /// A rate of no rule that no limiter was asked about.
    pub(crate) const fn of(rate: f64) -> Self {
        Self { rate, rule: None, limiter: None }
    }
}

impl Decision {
    /// The decision that came with the headers; nobody here is its maker.
    pub(crate) const fn inherited(priority: SamplingPriority) -> Self {
        Self { priority, mechanism: None, rate: None }
    }

    /// The rate of a decision that this process took by it: an agent's rate, a rule, or the global rate, here or set from afar. None where
    /// the limiter refused what the rate kept.
    ///
    /// Source: `internal/samplernames` of DataDog/dd-trace-go.
    pub(crate) fn probability(&self) -> Option<f64> {
        const BY_RATE: [u8; 4] = [1, 3, 11, 12];
        let is_by_rate = self.mechanism.is_some_and(|Mechanism(number)| BY_RATE.contains(&number));
        let applied = self.rate.filter(|_| is_by_rate)?;
        // The limiter is asked only about what the rate keeps.
        let is_refused = applied.limiter.is_some() && !self.priority.is_keep();
        (!is_refused).then_some(applied.rate)
    }
}

/// A span that a rule for single spans keeps, of a trace that is not kept.
///
/// Source: `setSpanSamplingTags` in `ddtrace/tracer/spancontext.go` of DataDog/dd-trace-go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SelectedSpan {
    pub(crate) span_id: u64,
    /// The rate of the rule, 0.0 to 1.0.
    pub(crate) rate: f64,
    /// The limit of the rule, where it has one.
    pub(crate) max_per_second: Option<f64>,
}

/// The value of `_dd.p.ksr`: `rate` with at most six decimals, rounded to nearest, without trailing zeros or exponent.
///
/// A rate outside of 0.0 to 1.0 is clamped.
pub(crate) fn rate_text(rate: f64) -> ShortText {
    let mut text = ShortText::default();
    let millionths = (rate.clamp(0.0, 1.0) * 1e6 + 0.5) as u32;
    text.push(if millionths >= 1_000_000 { b'1' } else { b'0' });
    let mut rest = millionths % 1_000_000;
    if rest == 0 {
        return text;
    }
    text.push(b'.');
    while rest != 0 {
        rest *= 10;
        text.push(b'0' + (rest / 1_000_000) as u8);
        rest %= 1_000_000;
    }
    text
}

/// At most eight characters of ASCII, held in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShortText {
    bytes: [u8; 8],
    length: u8,
}

impl ShortText {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(usize::from(self.length)) {
            *place = byte;
            self.length += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positive_priorities_keep() {
        assert!(SamplingPriority::AUTO_KEEP.is_keep() && SamplingPriority::USER_KEEP.is_keep());
        assert!(!SamplingPriority::AUTO_REJECT.is_keep() && !SamplingPriority::USER_REJECT.is_keep());
        assert!(SamplingPriority::new(5).is_keep() && !SamplingPriority::new(-2).is_keep());
    }

    #[test]
    fn decision_maker_is_a_hyphen_and_the_number() {
        let texts = [0, 4, 12, 255].map(|n| Mechanism::new(n).decision_maker().as_str().to_owned());
        assert_eq!(texts, ["-0", "-4", "-12", "-255"]);
    }

    #[test]
    fn rate_text_has_at_most_six_decimals() {
        let expected = [
            (1.0, "1"),
            (0.5, "0.5"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.333333"),
            (0.888_888_8, "0.888889"),
            (0.25, "0.25"),
            (0.000_02, "0.00002"),
            (0.000_000_7, "0.000001"),
            (0.000_000_4, "0"),
            (0.0, "0"),
            (0.999_999_9, "1"),
            (0.100_001, "0.100001"),
        ];
        for (rate, text) in expected {
            assert_eq!(rate_text(rate).as_str(), text, "{rate}");
        }
        assert_eq!(rate_text(f64::NAN).as_str(), "0");
        assert_eq!(rate_text(7.0).as_str(), "1");
    }
}
