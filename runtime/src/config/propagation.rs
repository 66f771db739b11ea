//! Which headers are written and read, as the environment says.

use super::otel;
use super::reader::{Reader, Remarks, Row, row};
use crate::diagnostics::Escaped;
use crate::propagation::{
    BaggageTags, ExtractBehavior, MAX_TAGS_BYTES, OrgGuardSettings, PropagationSettings, Style, StyleList,
};

pub(super) fn resolve(read: &mut Reader<'_>) -> PropagationSettings {
    let default = PropagationSettings::default();
    let both = styles(read, row(STYLE).otel(otel::PROPAGATORS), &default.inject);
    let inject =
        styles_of_direction(read, "DD_TRACE_PROPAGATION_STYLE_INJECT", both.as_deref(), default.inject);
    let extract =
        styles_of_direction(read, "DD_TRACE_PROPAGATION_STYLE_EXTRACT", both.as_deref(), default.extract);
    let behavior = read.parsed(
        row("DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT").default("continue"),
        "one of continue, restart, ignore",
        ExtractBehavior::parse,
    );
    // A negative limit is as good as none, a larger one as good as the largest.
    let tags_max_bytes =
        read.or("DD_TRACE_X_DATADOG_TAGS_MAX_LENGTH", default.tags_max_bytes, "an integer", |text| {
            let limit: i64 = text.parse().ok()?;
            usize::try_from(limit.clamp(0, MAX_TAGS_BYTES as i64)).ok()
        });
    // Empty switches the tags off.
    let baggage_tags = read.parsed(
        row("DD_TRACE_BAGGAGE_TAG_KEYS").default("user.id,session.id,account.id").keeps_empty(),
        "a list of keys",
        |text| Some(BaggageTags::parse(text)),
    );
    PropagationSettings {
        inject,
        extract,
        extract_first: read.flag("DD_TRACE_PROPAGATION_EXTRACT_FIRST", default.extract_first),
        behavior: behavior.unwrap_or(default.behavior),
        tags_max_bytes,
        baggage_tags: baggage_tags.unwrap_or(default.baggage_tags),
        has_http_baggage: read.flag("DD_TRACE_PROPAGATION_HTTP_BAGGAGE_ENABLED", default.has_http_baggage),
        org_guard: org_guard(read),
    }
}

/// The guard, where it is on.
fn org_guard(read: &mut Reader<'_>) -> Option<OrgGuardSettings> {
    let is_on = read.flag("DD_TRACE_ORG_GUARD_ENABLED", false);
    let trusted = read.text("DD_TRACE_ORG_GUARD_TRUSTED_OPMS").unwrap_or_default();
    let trusted = trusted.split(',').map(str::trim).filter(|marker| !marker.is_empty()).map(str::to_owned);
    let guard = OrgGuardSettings {
        trusted: trusted.collect(),
        is_strict: read.flag("DD_TRACE_ORG_GUARD_STRICT", false),
    };
    is_on.then_some(guard)
}

const STYLE: &str = "DD_TRACE_PROPAGATION_STYLE";

/// The styles of one direction: those of its own setting, else those of both directions.
fn styles_of_direction(
    read: &mut Reader<'_>,
    name: &'static str,
    both: Option<&[Style]>,
    default: Vec<Style>,
) -> Vec<Style> {
    let own = styles(read, row(name), &default);
    if let (None, Some(both)) = (&own, both) {
        read.follows(name, &names(both), Some(STYLE));
    }
    own.or_else(|| both.map(<[Style]>::to_vec)).unwrap_or(default)
}

/// The styles that a setting names; none when it names nothing there is.
fn styles(read: &mut Reader<'_>, row: Row, default: &[Style]) -> Option<Vec<Style>> {
    read.remarked(row.default(names(default)), parse_styles)
}

/// `none` stands for no styles.
fn names(styles: &[Style]) -> String {
    let names: Vec<_> = styles.iter().map(|style| style.name()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(",") }
}

fn parse_styles(text: &str, remarks: &mut Remarks) -> Option<Vec<Style>> {
    let list = StyleList::parse(text);
    if !list.unknown.is_empty() {
        let unknown = list.unknown.join(",");
        remarks.push(format!("unknown propagation styles \"{}\" are left out", Escaped::new(&unknown, 100)));
    }
    if list.has_none && !list.styles.is_empty() {
        remarks.push("none is left out beside other propagation styles".to_owned());
    }
    if list.is_meaningless() { None } else { Some(list.styles) }
}

#[cfg(test)]
mod tests {
    use super::super::source::Overrides;
    use super::super::testing::{environment, notices_of};
    use super::Style::{B3, Baggage, Datadog, TraceContext};
    use super::*;

    fn resolved(variables: &[(&str, &str)]) -> (PropagationSettings, Vec<String>) {
        let (source, code) = (environment(variables), Overrides::default());
        let mut reader = Reader::new(&source, &code);
        (resolve(&mut reader), notices_of(reader.finish().1))
    }

    #[test]
    fn nothing_said_gives_the_defaults() {
        assert_eq!(resolved(&[]), (PropagationSettings::default(), vec![]));
    }

    #[test]
    fn direction_wins_over_both() {
        let variables =
            [("DD_TRACE_PROPAGATION_STYLE", "tracecontext"), ("DD_TRACE_PROPAGATION_STYLE_INJECT", "none")];
        let (settings, notices) = resolved(&variables);
        assert_eq!((settings.inject, settings.extract, notices), (vec![], vec![TraceContext], vec![]));
    }

    #[test]
    fn names_without_a_style_are_reported() {
        let (settings, notices) =
            resolved(&[("DD_TRACE_PROPAGATION_STYLE", "Datadog,tracecontext,baggage,b3,jaeger,none")]);
        assert_eq!(settings.inject, [Datadog, TraceContext, Baggage, B3]);
        let expected = [
            "DD_TRACE_PROPAGATION_STYLE: unknown propagation styles \"jaeger\" are left out",
            "DD_TRACE_PROPAGATION_STYLE: none is left out beside other propagation styles",
        ];
        assert_eq!(notices, expected);
        assert_eq!(resolved(&[("DD_TRACE_PROPAGATION_STYLE", "jaeger")]).0.extract, Style::DEFAULT);
    }

    #[test]
    fn keys_of_baggage_may_be_none() {
        let keys = |text| resolved(&[("DD_TRACE_BAGGAGE_TAG_KEYS", text)]).0.baggage_tags;
        assert_eq!((keys(""), keys(" , ")), (BaggageTags::Of(vec![]), BaggageTags::Of(vec![])));
        assert_eq!((keys("*"), keys("a, b")), (BaggageTags::All, BaggageTags::parse("a,b")));
        assert!(!resolved(&[]).0.has_http_baggage);
        assert!(resolved(&[("DD_TRACE_PROPAGATION_HTTP_BAGGAGE_ENABLED", "true")]).0.has_http_baggage);
    }

    #[test]
    fn guard_is_off_until_it_is_asked_for() {
        let words = [("DD_TRACE_ORG_GUARD_TRUSTED_OPMS", " a1,,b2 "), ("DD_TRACE_ORG_GUARD_STRICT", "1")];
        assert_eq!(resolved(&words).0.org_guard, None);
        let on = ("DD_TRACE_ORG_GUARD_ENABLED", "true");
        let guard = OrgGuardSettings { trusted: vec!["a1".to_owned(), "b2".to_owned()], is_strict: true };
        assert_eq!(resolved(&[on, words[0], words[1]]).0.org_guard, Some(guard));
        assert_eq!(resolved(&[on]).0.org_guard, Some(OrgGuardSettings::default()));
    }

    #[test]
    fn limit_of_tags_is_clamped() {
        for (text, expected) in [("-1", 0), ("0", 0), ("511", 511), ("512", 512), ("513", 512), ("x", 512)] {
            assert_eq!(
                resolved(&[("DD_TRACE_X_DATADOG_TAGS_MAX_LENGTH", text)]).0.tags_max_bytes,
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn behavior_of_an_unknown_name_is_to_continue() {
        let variables = [
            ("DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT", "RESTART"),
            ("DD_TRACE_PROPAGATION_EXTRACT_FIRST", "1"),
        ];
        let (settings, _) = resolved(&variables);
        assert!(settings.behavior == ExtractBehavior::Restart && settings.extract_first);
        let (settings, notices) = resolved(&[("DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT", "stop")]);
        assert_eq!((settings.behavior, notices.len()), (ExtractBehavior::Continue, 1));
    }
}
