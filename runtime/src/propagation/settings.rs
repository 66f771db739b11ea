//! Which headers are written and read.

use super::org_guard::OrgGuardSettings;
use super::styles::Style;

/// How contexts cross process borders.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PropagationSettings {
    /// Styles written, all of them. Defaults to `datadog`, `tracecontext`, `baggage`.
    pub(crate) inject: Vec<Style>,
    /// Styles read, in this order. Defaults to `datadog`, `tracecontext`, `baggage`.
    pub(crate) extract: Vec<Style>,
    /// Stop at the first style that yields a context, and take nothing but baggage from the others. Defaults to false.
    pub(crate) extract_first: bool,
    /// What is done with an incoming context. Defaults to continuing it.
    pub(crate) behavior: ExtractBehavior,
    /// Bytes of the longest `x-datadog-tags` header read or written, at most [`MAX_TAGS_BYTES`]; 0 turns the header off.
    /// Defaults to 512.
    pub(crate) tags_max_bytes: usize,
    /// The items of incoming baggage that the local root has as tags. Defaults to `user.id`, `session.id`, `account.id`.
    pub(crate) baggage_tags: BaggageTags,
    /// Whether the style `datadog` has baggage, too: a header `ot-baggage-<key>` for each item. Defaults to false.
    pub(crate) has_http_baggage: bool,
    /// Whether contexts of other organisations are trusted. They are, by default.
    pub(crate) org_guard: Option<OrgGuardSettings>,
}

/// The largest limit of `x-datadog-tags`, in bytes: larger ones are clamped to it.
///
/// Source: `ddtrace/tracer/textmap.go` of DataDog/dd-trace-go.
pub(crate) const MAX_TAGS_BYTES: usize = 512;

impl Default for PropagationSettings {
    fn default() -> Self {
        Self {
            inject: Style::DEFAULT.to_vec(),
            extract: Style::DEFAULT.to_vec(),
            extract_first: false,
            behavior: ExtractBehavior::Continue,
            tags_max_bytes: MAX_TAGS_BYTES,
            baggage_tags: BaggageTags::default(),
            has_http_baggage: false,
            org_guard: None,
        }
    }
}

/// What is done with an incoming context; `DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtractBehavior {
    /// The trace goes on here.
    Continue,
    /// A new trace begins here, linked to the one that arrived.
    Restart,
    /// Nothing is read.
    Ignore,
}

impl ExtractBehavior {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [("continue", Self::Continue), ("restart", Self::Restart), ("ignore", Self::Ignore)];
        all.into_iter()
            .find_map(|(name, behavior)| text.trim().eq_ignore_ascii_case(name).then_some(behavior))
    }
}

/// Keys of baggage that become tags; `DD_TRACE_BAGGAGE_TAG_KEYS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BaggageTags {
    All,
    /// Those with exactly these keys.
    Of(Vec<String>),
}

impl BaggageTags {
    /// Reads a list such as `user.id,tenant`: items trimmed, empty ones dropped. An item that is `*` means all; inside of a
    /// longer one it is a character.
    pub(crate) fn parse(text: &str) -> Self {
        let keys: Vec<&str> = text.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
        if keys.contains(&"*") {
            return Self::All;
        }
        Self::Of(keys.into_iter().map(str::to_owned).collect())
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(keys) => keys.iter().any(|found| found == key),
        }
    }
}

impl Default for BaggageTags {
    fn default() -> Self {
        Self::parse("user.id,session.id,account.id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behavior_is_read_in_any_case() {
        assert_eq!(ExtractBehavior::parse(" Restart"), Some(ExtractBehavior::Restart));
        assert_eq!(ExtractBehavior::parse("stop"), None);
    }

    #[test]
    fn keys_of_baggage_are_exact() {
        let keys = BaggageTags::parse(" user.id,, cart*id ");
        assert_eq!(
            ["user.id", "User.id", "cart*id", "cart1id", "cart", ""].map(|key| keys.contains(key)),
            [true, false, true, false, false, false]
        );
        assert!(BaggageTags::parse("*").contains("any") && BaggageTags::parse("a, *").contains("any"));
        assert_eq!(BaggageTags::parse(""), BaggageTags::Of(vec![]));
        assert!(BaggageTags::default().contains("account.id") && !BaggageTags::default().contains("id"));
    }
}
