//! The styles there are, and lists of their names.

/// A format of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// The headers `x-datadog-*`.
    Datadog,
    /// W3C Trace Context: `traceparent` and `tracestate`.
    TraceContext,
    /// B3 in one header, `b3`.
    B3,
    /// B3 in several headers, `x-b3-*`.
    B3Multi,
    /// W3C Baggage: no trace, but what the user sends along.
    Baggage,
}

impl Style {
    pub(crate) const DEFAULT: [Self; 3] = [Self::Datadog, Self::TraceContext, Self::Baggage];

    const ALL: [Self; 5] = [Self::Datadog, Self::TraceContext, Self::B3, Self::B3Multi, Self::Baggage];

    /// The name in settings and in the attribute `context_headers` of links.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Datadog => "datadog",
            Self::TraceContext => "tracecontext",
            Self::B3 => "b3",
            Self::B3Multi => "b3multi",
            Self::Baggage => "baggage",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        // The older name of the one header, which libraries still take.
        let older = is("b3 single header").then_some(Self::B3);
        older.or_else(|| Self::ALL.into_iter().find(|style| is(style.name())))
    }
}

/// What a list of style names says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct StyleList<'a> {
    /// The styles named, each once, in order.
    pub(crate) styles: Vec<Style>,
    /// Names that mean nothing.
    pub(crate) unknown: Vec<&'a str>,
    /// Whether `none` stood there.
    pub(crate) has_none: bool,
}

impl<'a> StyleList<'a> {
    /// Reads a list such as `datadog,tracecontext`: names in any case, spaces trimmed, empty items dropped.
    pub(crate) fn parse(text: &'a str) -> Self {
        let mut list = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match Style::named(name) {
                Some(style) if list.styles.contains(&style) => {}
                Some(style) => list.styles.push(style),
                None if name.eq_ignore_ascii_case("none") => list.has_none = true,
                None => list.unknown.push(name),
            }
        }
        list
    }

    /// Whether the list says nothing that could be followed, so that the default holds.
    pub(crate) fn is_meaningless(&self) -> bool {
        self.styles.is_empty() && !self.has_none
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_names_are_read_in_any_case_and_kept_once() {
        let list = StyleList::parse(" TraceContext, Datadog ,,datadog,B3 Single Header,b3,B3Multi,BAGGAGE");
        let expected = [Style::TraceContext, Style::Datadog, Style::B3, Style::B3Multi, Style::Baggage];
        assert_eq!(list.styles, expected);
        assert!(list.unknown.is_empty() && !list.is_meaningless());
    }

    #[test]
    fn none_leaves_other_styles_as_they_are() {
        assert_eq!(StyleList::parse("none,datadog").styles, [Style::Datadog]);
        let alone = StyleList::parse("none");
        assert!(alone.styles.is_empty() && !alone.is_meaningless());
    }

    #[test]
    fn names_without_a_style_are_told_apart() {
        let list = StyleList::parse("jaeger,b3,b3single");
        assert_eq!(
            (list.styles.as_slice(), list.unknown.as_slice()),
            (&[Style::B3][..], &["jaeger", "b3single"][..])
        );
        assert!(StyleList::parse("jaeger,xray").is_meaningless());
        assert!(StyleList::parse(" , ").is_meaningless());
    }
}
