//! Traces that an agent does not want, by what it says of itself: looked at where the tracer computes statistics, since then the
//! agent sees neither spans nor counts of what is left out.
//!
//! Source: `pkg/trace/filters` of DataDog/datadog-agent.

use std::borrow::Cow;

use regex_lite::{Regex, RegexBuilder};

use super::examined::{Examined, TagRef};
use crate::model::{AgentInfo, TagFilters, cut};

/// Conditions on the local root.
#[derive(Debug, Default)]
pub(crate) struct TraceFilter {
    require: Vec<Condition>,
    reject: Vec<Condition>,
    ignore_resources: Vec<Regex>,
}

/// A condition on a string tag.
#[derive(Debug)]
struct Condition {
    key: Box<str>,
    value: Expected,
}

#[derive(Debug)]
enum Expected {
    Any,
    Text(Box<str>),
    Match(Regex),
}

/// Bytes of a compiled expression.
const MAX_COMPILED: usize = 1 << 20;
/// Bytes of a text that an expression looks at.
const MAX_TEXT: usize = 5_000;

impl TraceFilter {
    /// The filters of this agent; expressions that are none are left out.
    pub(crate) fn new(info: &AgentInfo) -> Self {
        let AgentInfo { filter_tags, filter_tags_regex, ignore_resources, .. } = info;
        let conditions = |of: fn(&TagFilters) -> &[Box<str>]| {
            let exact = of(filter_tags).iter().filter_map(|entry| Condition::new(entry, exact));
            exact
                .chain(of(filter_tags_regex).iter().filter_map(|entry| Condition::new(entry, matching)))
                .collect()
        };
        Self {
            require: conditions(|filters| &filters.require),
            reject: conditions(|filters| &filters.reject),
            ignore_resources: ignore_resources.iter().filter_map(|text| expression(text)).collect(),
        }
    }

    /// Whether every trace is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { require, reject, ignore_resources } = self;
        require.is_empty() && reject.is_empty() && ignore_resources.is_empty()
    }

    /// Whether a trace with this local root is wanted.
    pub(super) fn wants(&self, local_root: &Examined<'_>) -> bool {
        let resource = local_root.resource();
        let is_ignored =
            self.ignore_resources.iter().any(|ignored| ignored.is_match(cut(&resource, MAX_TEXT)));
        !is_ignored
            && !self.reject.iter().any(|condition| condition.holds(local_root))
            && self.require.iter().all(|condition| condition.holds(local_root))
    }
}

impl Condition {
    /// Reads `key` or `key:value`.
    fn new(entry: &str, expected: fn(&str) -> Option<Expected>) -> Option<Self> {
        let (key, value) = entry.split_once(':').unwrap_or((entry, ""));
        let (key, value) = (key.trim(), value.trim());
        let value = if value.is_empty() { Expected::Any } else { expected(value)? };
        (!key.is_empty()).then(|| Self { key: key.into(), value })
    }

    fn holds(&self, span: &Examined<'_>) -> bool {
        let Some(TagRef::Text(found)) = span.tag(&self.key) else { return false };
        let found = match &*self.key {
            "env" => Cow::Owned(normalized(found)),
            "http.status_code" if !is_status(found) => return false,
            _ => Cow::Borrowed(found.trim()),
        };
        match &self.value {
            Expected::Any => true,
            Expected::Text(text) => **text == *found,
            Expected::Match(expression) => expression.is_match(cut(&found, MAX_TEXT)),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an expression may be none, and both are read alike")]
fn exact(value: &str) -> Option<Expected> {
    Some(Expected::Text(value.into()))
}

fn matching(value: &str) -> Option<Expected> {
    expression(value).map(Expected::Match)
}

fn expression(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).size_limit(MAX_COMPILED).build().ok()
}

fn is_status(text: &str) -> bool {
    text.trim().parse::<u16>().is_ok_and(|status| (100..600).contains(&status))
}

/// A value of a tag as the agent writes it: in lower case, without blanks and the like.
///
/// Source: `pkg/trace/traceutil/normalize` of DataDog/datadog-agent.
pub(crate) fn normalized(value: &str) -> String {
    const MAX_CHARACTERS: usize = 200;
    let mut text = String::new();
    for character in value.chars().flat_map(char::to_lowercase).take(MAX_CHARACTERS) {
        let is_start = character.is_alphabetic() || character == ':';
        let is_inner = is_start || character.is_ascii_digit() || matches!(character, '.' | '/' | '-');
        match (text.is_empty(), is_start, is_inner) {
            (true, true, _) | (false, _, true) => text.push(character),
            (false, _, false) if !text.ends_with('_') => text.push('_'),
            _ => {}
        }
    }
    text.truncate(text.trim_end_matches('_').len());
    text
}

#[cfg(test)]
mod tests {
    use super::super::examined::OwnTags;
    use super::*;
    use crate::model::{CallSite, Record, TagLog};
    use proptest::prelude::*;

    static SITE: CallSite = CallSite::named("web.request").resource("GET /healthz").tags(&[("tier", "1")]);

    fn boxed(texts: &[&str]) -> Vec<Box<str>> {
        texts.iter().map(|text| (*text).into()).collect()
    }

    fn tags(require: &[&str], reject: &[&str]) -> TagFilters {
        TagFilters { require: boxed(require), reject: boxed(reject) }
    }

    fn wants(info: &AgentInfo) -> bool {
        let own = OwnTags { service: "shop".into(), env: "QA West".into(), ..OwnTags::default() };
        let (mut log, mut record) = (TagLog::new(), Record::open(&SITE, 1, 0, 0));
        record.tags = log.meta(record.tags, "http.url", " http://shop/health/live ");
        record.tags = log.metric(record.tags, "items", 4.0);
        record.tags = log.meta(record.tags, "http.status_code", "99");
        record.tags = log.meta(record.tags, "gone", "x");
        record.tags = log.unset(record.tags, "gone");
        let span = Examined { service: "shop", span: Some((&record, &log)), own: &own };
        TraceFilter::new(info).wants(&span)
    }

    #[test]
    fn tags_that_are_rejected_or_missing_leave_a_trace_out() {
        for (require, reject, is_wanted) in [
            (&[][..], &[][..], true),
            (&["tier"], &[], true),
            (&["tier:1"], &[], true),
            (&[" tier : 1 "], &[], true),
            (&["tier:2"], &[], false),
            (&["tier:1", "other"], &[], false),
            (&["tier:"], &["other", "tier:2"], true),
            (&[], &["tier"], false),
            (&[], &["other", "tier:1"], false),
            (&["http.url:http://shop/health/live"], &[], true),
            (&["items"], &[], false),
            (&["gone"], &[], false),
            (&["env:qa_west"], &["env:QA West"], true),
            (&[], &["http.status_code"], true),
            (&[":1", ""], &[": ", ""], true),
        ] {
            let info = AgentInfo { filter_tags: tags(require, reject), ..AgentInfo::default() };
            assert_eq!(wants(&info), is_wanted, "{require:?} {reject:?}");
        }
    }

    #[test]
    fn expressions_search_and_those_that_are_none_are_skipped() {
        for (require, reject, is_wanted) in [
            (&["http.url:health"][..], &[][..], true),
            (&["http.url:^health"], &[], false),
            (&[], &["http.url:.*/live$"], false),
            (&["tier:("], &["http.url:["], true),
            (&["t.er"], &[], false),
        ] {
            let info = AgentInfo { filter_tags_regex: tags(require, reject), ..AgentInfo::default() };
            assert_eq!(wants(&info), is_wanted, "{require:?} {reject:?}");
        }
    }

    #[test]
    fn resources_are_ignored_by_expression() {
        for (ignore, is_wanted) in
            [(&["healthz"][..], false), (&["^healthz", "("], true), (&["^GET /health.$"], false)]
        {
            let info = AgentInfo { ignore_resources: boxed(ignore), ..AgentInfo::default() };
            assert_eq!(wants(&info), is_wanted, "{ignore:?}");
        }
        assert!(TraceFilter::new(&AgentInfo::default()).is_empty());
    }

    #[test]
    fn environments_are_written_as_the_agent_does() {
        for (text, expected) in [
            ("prod", "prod"),
            ("QA West", "qa_west"),
            ("1_prod", "prod"),
            ("a  b!!", "a_b"),
            ("Über/x-1.2:3", "über/x-1.2:3"),
            ("__", ""),
        ] {
            assert_eq!(normalized(text), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_filter_is_taken(texts in proptest::collection::vec("\\PC{0,12}", 0..4)) {
            let texts: Vec<Box<str>> = texts.into_iter().map(Into::into).collect();
            let filters = TagFilters { require: texts.clone(), reject: texts.clone() };
            let info = AgentInfo { filter_tags: filters.clone(), filter_tags_regex: filters, ignore_resources: texts, ..AgentInfo::default() };
            let _ = wants(&info);
        }
    }
}
