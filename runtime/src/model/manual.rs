//! Tags that decide about their trace instead of being sent.

use super::entry::EntryKind;
use super::priority::SamplingPriority;
use super::tag_value::sealed::WriteTag;
use super::tags::TagLog;

/// A tag by which the application decides about the whole trace.
///
/// Source: `ext/tags.go` and `ext/priority.go` of DataDog/dd-trace-go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ManualTag {
    /// `manual.keep`
    Keep,
    /// `manual.drop`
    Drop,
    /// `sampling.priority`, an older way to say either.
    Priority,
}

impl ManualTag {
    /// The tag of this key; mostly none.
    #[inline]
    pub(crate) fn named(key: &str) -> Option<Self> {
        match key {
            "manual.keep" => Some(Self::Keep),
            "manual.drop" => Some(Self::Drop),
            "sampling.priority" => Some(Self::Priority),
            _ => None,
        }
    }

    /// What the tag decides with this value. A keep or a drop counts whatever its value is, but not where it is `false` or 0; a priority keeps
    /// where it is above 0, and says nothing where it is no number.
    #[cold]
    pub(crate) fn decide(self, value: &(impl WriteTag + ?Sized)) -> Option<SamplingPriority> {
        let mut log = TagLog::new();
        let at = value.write(&mut log, 0, "");
        let entry = log.entries(at).next()?;
        let text = entry.text().filter(|_| entry.kind == EntryKind::Meta).map(str::trim);
        let number = text.map_or_else(|| entry.number(), |text| text.parse().ok());
        let is_said = !text.is_some_and(|text| text.eq_ignore_ascii_case("false")) && number != Some(0.0);
        match self {
            Self::Keep => is_said.then_some(SamplingPriority::USER_KEEP),
            Self::Drop => is_said.then_some(SamplingPriority::USER_REJECT),
            Self::Priority => match number? {
                above if above > 0.0 => Some(SamplingPriority::USER_KEEP),
                number if number.is_nan() => None,
                _ => Some(SamplingPriority::USER_REJECT),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_and_drop_count_unless_they_are_false() {
        let (keep, drop) = (Some(SamplingPriority::USER_KEEP), Some(SamplingPriority::USER_REJECT));
        for text in ["1", "true", "", "null", "yes", "0.5"] {
            assert_eq!((ManualTag::Keep.decide(text), ManualTag::Drop.decide(text)), (keep, drop), "{text}");
        }
        for text in ["false", "False", " 0 ", "0.0"] {
            assert_eq!((ManualTag::Keep.decide(text), ManualTag::Drop.decide(text)), (None, None), "{text}");
        }
        assert_eq!((ManualTag::Keep.decide(&true), ManualTag::Drop.decide(&false)), (keep, None));
        assert_eq!((ManualTag::Keep.decide(&1), ManualTag::Drop.decide(&0.0)), (keep, None));
    }

    #[test]
    fn priority_keeps_above_zero() {
        let (keep, drop) = (Some(SamplingPriority::USER_KEEP), Some(SamplingPriority::USER_REJECT));
        let decide = |number: f64| ManualTag::Priority.decide(&number);
        assert_eq!([2.0, 1.0, 0.5, 0.0, -1.0, f64::NAN].map(decide), [keep, keep, keep, drop, drop, None]);
        let decide = |text: &str| ManualTag::Priority.decide(text);
        assert_eq!(["2", " -1 ", "0", "high"].map(decide), [keep, drop, drop, None]);
    }

    #[test]
    fn other_keys_are_tags() {
        for key in ["manual.kept", "manual.keep ", "Manual.keep", "", "sampling.priorities"] {
            assert_eq!(ManualTag::named(key), None, "{key}");
        }
    }
}
