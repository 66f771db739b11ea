//! Which headers are written and read, as the environment says.

use super::source::Reader;
use crate::diagnostics::Escaped;
use crate::propagation::{ExtractBehavior, MAX_TAGS_BYTES, PropagationSettings, Style, StyleList};

pub(super) fn resolve(reader: &mut Reader<'_>) -> PropagationSettings {
    let default = PropagationSettings::default();
    let both = styles(reader, "DD_TRACE_PROPAGATION_STYLE").unwrap_or_else(|| Style::DEFAULT.to_vec());
    let inject = styles(reader, "DD_TRACE_PROPAGATION_STYLE_INJECT").unwrap_or_else(|| both.clone());
    let extract = styles(reader, "DD_TRACE_PROPAGATION_STYLE_EXTRACT").unwrap_or(both);
    let behavior = reader.parsed(
        "DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT",
        "one of continue, restart, ignore",
        ExtractBehavior::parse,
    );
    // A negative limit is as good as none, a larger one as good as the largest.
    let tags_max_bytes = reader.parsed("DD_TRACE_X_DATADOG_TAGS_MAX_LENGTH", "an integer", |text| {
        let limit: i64 = text.parse().ok()?;
        usize::try_from(limit.clamp(0, MAX_TAGS_BYTES as i64)).ok()
    });
    PropagationSettings {
        inject,
        extract,
        extract_first: reader.flag("DD_TRACE_PROPAGATION_EXTRACT_FIRST", default.extract_first),
        behavior: behavior.unwrap_or(default.behavior),
        tags_max_bytes: tags_max_bytes.unwrap_or(default.tags_max_bytes),
    }
}

/// The styles a variable names; none when it is unset or names nothing there is.
fn styles(reader: &mut Reader<'_>, name: &'static str) -> Option<Vec<Style>> {
    let text = reader.text(name)?;
    let list = StyleList::parse(&text);
    if !list.unknown.is_empty() {
        let unknown = list.unknown.join(",");
        reader.warn(format!(
            "{name}: unknown propagation styles \"{}\" are left out",
            Escaped::new(&unknown, 100)
        ));
    }
    if !list.unsupported.is_empty() {
        let unsupported = list.unsupported.join(", ");
        let shown = Escaped::new(&unsupported, 100);
        reader.warn(format!("{name}: the propagation styles {shown} are not supported yet and left out"));
    }
    if list.has_none && !list.styles.is_empty() {
        reader.warn(format!("{name}: none is left out beside other propagation styles"));
    }
    if list.is_meaningless() { None } else { Some(list.styles) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{notices_of, with_source};
    use super::Style::{Datadog, TraceContext};
    use super::*;

    fn resolved(variables: &[(&str, &str)]) -> (PropagationSettings, Vec<String>) {
        with_source(variables, |source| {
            let mut reader = Reader::new(source);
            (resolve(&mut reader), notices_of(reader.into_notices()))
        })
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
        assert_eq!(settings.inject, [Datadog, TraceContext]);
        let expected = [
            "DD_TRACE_PROPAGATION_STYLE: unknown propagation styles \"jaeger\" are left out",
            "DD_TRACE_PROPAGATION_STYLE: the propagation styles baggage, b3 are not supported yet and left out",
            "DD_TRACE_PROPAGATION_STYLE: none is left out beside other propagation styles",
        ];
        assert_eq!(notices, expected);
        assert_eq!(resolved(&[("DD_TRACE_PROPAGATION_STYLE", "jaeger")]).0.extract, [Datadog, TraceContext]);
        assert!(resolved(&[("DD_TRACE_PROPAGATION_STYLE", "b3")]).0 == PropagationSettings::default());
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
