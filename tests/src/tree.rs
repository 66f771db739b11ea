//! Spans as indented text, to be compared with what the test expects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::wire::WireSpan;

/// The spans of any number of traces as a tree: one line a span, children below their parent by two more blanks, in the order
/// in which they started.
///
/// A line is the name; then the service where it is not the parent's, the resource where it is not the name, the type, `error`,
/// and the tags asked for. A span whose parent is not among the spans is marked `…` in front: its parent is elsewhere.
///
/// ```text
/// web.request service=shop resource="GET /cart" type=web
///   db.query resource="SELECT 1" type=sql error
/// … job.run service=worker
/// ```
#[derive(Debug)]
pub struct SpanTree<'a> {
    spans: Vec<&'a WireSpan>,
    tags: Vec<&'a str>,
}

impl<'a> SpanTree<'a> {
    /// The tree of these spans.
    pub fn of(spans: impl IntoIterator<Item = &'a WireSpan>) -> Self {
        let mut spans: Vec<_> = spans.into_iter().collect();
        spans.sort_by_key(|span| span.start);
        Self { spans, tags: Vec::new() }
    }

    /// Shows these tags, where a span has them.
    pub fn with_tags(mut self, tags: &[&'a str]) -> Self {
        self.tags.extend(tags);
        self
    }

    fn write_below(
        &self,
        f: &mut fmt::Formatter<'_>,
        by_parent: &BTreeMap<Key, Vec<&WireSpan>>,
        span: &WireSpan,
        depth: usize,
    ) -> fmt::Result {
        for child in by_parent.get(&(span.trace_id, span.span_id)).into_iter().flatten() {
            self.write_line(f, child, depth, Some(span))?;
            self.write_below(f, by_parent, child, depth + 1)?;
        }
        Ok(())
    }

    fn write_line(
        &self,
        f: &mut fmt::Formatter<'_>,
        span: &WireSpan,
        depth: usize,
        parent: Option<&WireSpan>,
    ) -> fmt::Result {
        write!(f, "{:indent$}", "", indent = depth * 2)?;
        if parent.is_none() && span.parent_id != 0 {
            f.write_str("… ")?;
        }
        f.write_str(&span.name)?;
        if parent.is_none_or(|parent| parent.service != span.service) {
            write!(f, " service={}", span.service)?;
        }
        if span.resource != span.name {
            write!(f, " resource={:?}", span.resource)?;
        }
        if let Some(span_type) = span.span_type.as_deref().filter(|text| !text.is_empty()) {
            write!(f, " type={span_type}")?;
        }
        if span.error != 0 {
            f.write_str(" error")?;
        }
        for tag in &self.tags {
            if let Some(value) = span.meta(tag) {
                write!(f, " {tag}={value:?}")?;
            }
            if let Some(value) = span.metric(tag) {
                write!(f, " {tag}={value}")?;
            }
        }
        writeln!(f)
    }
}

/// A trace id's low half and a span id.
type Key = (u64, u64);

impl fmt::Display for SpanTree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by_parent: BTreeMap<Key, Vec<&WireSpan>> = BTreeMap::new();
        for span in &self.spans {
            by_parent.entry((span.trace_id, span.parent_id)).or_default().push(span);
        }
        let here: BTreeSet<Key> = self.spans.iter().map(|span| (span.trace_id, span.span_id)).collect();
        for top in self.spans.iter().filter(|span| !here.contains(&(span.trace_id, span.parent_id))) {
            self.write_line(f, top, 0, None)?;
            self.write_below(f, &by_parent, top, 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(span_id: u64, parent_id: u64, name: &str) -> WireSpan {
        WireSpan {
            service: "shop".to_owned(),
            name: name.to_owned(),
            resource: name.to_owned(),
            trace_id: 7,
            span_id,
            parent_id,
            start: 1_000 + span_id as i64,
            duration: 1,
            error: 0,
            meta: BTreeMap::new(),
            metrics: BTreeMap::new(),
            span_type: None,
            span_links: Vec::new(),
            span_events: Vec::new(),
            meta_struct: BTreeMap::new(),
        }
    }

    #[test]
    fn children_stand_below_their_parent_in_the_order_of_their_start() {
        let spans = [span(4, 2, "leaf"), span(3, 1, "second"), span(2, 1, "first"), span(1, 0, "root")];
        let text = SpanTree::of(&spans).to_string();
        assert_eq!(text, "root service=shop\n  first\n    leaf\n  second\n");
    }

    #[test]
    fn what_differs_from_the_usual_is_written() {
        let mut child = span(2, 1, "query");
        child.service = "db".to_owned();
        child.resource = "SELECT 1".to_owned();
        child.span_type = Some("sql".to_owned());
        child.error = 1;
        child.metrics.insert("rows".to_owned(), 3.0);
        let spans = [span(1, 99, "root"), child];
        let text = SpanTree::of(&spans).with_tags(&["rows", "none"]).to_string();
        assert_eq!(
            text,
            "… root service=shop\n  query service=db resource=\"SELECT 1\" type=sql error rows=3\n"
        );
    }
}
