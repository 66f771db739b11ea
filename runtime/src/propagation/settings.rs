//! Which headers are written and read.

/// How contexts cross process borders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PropagationSettings {
    /// Styles written, all of them. Defaults to `datadog`, `tracecontext`.
    pub(crate) inject: Vec<Style>,
    /// Styles read, in this order. Defaults to `datadog`, `tracecontext`.
    pub(crate) extract: Vec<Style>,
    /// Stop at the first style that yields a context, and take nothing from the others. Defaults to false.
    pub(crate) extract_first: bool,
    /// What is done with an incoming context. Defaults to continuing it.
    pub(crate) behavior: ExtractBehavior,
    /// Bytes of the longest `x-datadog-tags` header read or written, at most [`MAX_TAGS_BYTES`]; 0 turns the header off.
    /// Defaults to 512.
    pub(crate) tags_max_bytes: usize,
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

/// A format of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// The headers `x-datadog-*`.
    Datadog,
    /// W3C Trace Context: `traceparent` and `tracestate`.
    TraceContext,
}

impl Style {
    pub(crate) const DEFAULT: [Self; 2] = [Self::Datadog, Self::TraceContext];

    /// The name in settings and in the attribute `context_headers` of links.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Datadog => "datadog",
            Self::TraceContext => "tracecontext",
        }
    }
}

/// What a list of style names says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct StyleList<'a> {
    /// The styles named, each once, in order.
    pub(crate) styles: Vec<Style>,
    /// Names of styles that other libraries have and this one does not yet.
    pub(crate) unsupported: Vec<&'a str>,
    /// Names that mean nothing.
    pub(crate) unknown: Vec<&'a str>,
    /// Whether `none` stood there.
    pub(crate) has_none: bool,
}

impl<'a> StyleList<'a> {
    /// Reads a list such as `datadog,tracecontext`: names in any case, spaces trimmed, empty items dropped.
    pub(crate) fn parse(text: &'a str) -> Self {
        const UNSUPPORTED: [&str; 4] = ["baggage", "b3multi", "b3", "b3 single header"];
        let mut list = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            if let Some(style) = Style::DEFAULT.into_iter().find(|style| is(style.name())) {
                if !list.styles.contains(&style) {
                    list.styles.push(style);
                }
            } else if is("none") {
                list.has_none = true;
            } else if UNSUPPORTED.into_iter().any(is) {
                list.unsupported.push(name);
            } else {
                list.unknown.push(name);
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
        let list = StyleList::parse(" TraceContext, Datadog ,,datadog");
        assert_eq!(list.styles, [Style::TraceContext, Style::Datadog]);
        assert!(list.unknown.is_empty() && list.unsupported.is_empty() && !list.is_meaningless());
    }

    #[test]
    fn none_leaves_other_styles_as_they_are() {
        assert_eq!(StyleList::parse("none,datadog").styles, [Style::Datadog]);
        let alone = StyleList::parse("none");
        assert!(alone.styles.is_empty() && !alone.is_meaningless());
    }

    #[test]
    fn names_without_a_style_are_told_apart() {
        let list = StyleList::parse("baggage,b3,jaeger");
        assert_eq!(
            (list.unsupported.as_slice(), list.unknown.as_slice()),
            (&["baggage", "b3"][..], &["jaeger"][..])
        );
        assert!(StyleList::parse("jaeger,xray").is_meaningless());
        assert!(StyleList::parse("b3,baggage").is_meaningless());
    }

    #[test]
    fn behavior_is_read_in_any_case() {
        assert_eq!(ExtractBehavior::parse(" Restart"), Some(ExtractBehavior::Restart));
        assert_eq!(ExtractBehavior::parse("stop"), None);
    }
}
