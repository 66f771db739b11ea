//! Who is whose parent, and the order in which a tree is read. Spans come from anywhere: parents may be missing, there
//! twice, or their own descendants.

use std::collections::HashMap;

use super::span::ShownSpan;

/// One span's place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Where the span stands among the given ones.
    pub(super) index: usize,
    /// Where the parent stands that it is drawn under.
    pub(super) parent: Option<usize>,
    /// For each level from the outermost child down to the span: whether a later sibling follows.
    pub(super) guides: Vec<bool>,
    pub(super) has_children: bool,
}

/// The spans in the order in which they are read: by start time, children after their parent. Each comes once, whatever
/// their ids say. Linear but for one sort, never recursive.
#[derive(Debug)]
pub(super) struct Rows {
    nodes: Vec<Node>,
    /// Where to begin: at the roots, then at all others, for the sake of those that no root leads to.
    starts: std::vec::IntoIter<usize>,
    /// What is read next, the last one first, with its depth.
    ahead: Vec<(usize, usize)>,
    guides: Vec<bool>,
}

#[derive(Debug, Default)]
struct Node {
    parent: Option<usize>,
    first_child: Option<usize>,
    next_sibling: Option<usize>,
    is_read: bool,
}

impl Rows {
    pub(super) fn new(spans: &[ShownSpan]) -> Self {
        let by_id = by_id(spans);
        let parent_of = |(index, span): (usize, &ShownSpan)| {
            by_id.get(&span.parent_id).copied().filter(|&parent| span.parent_id != 0 && parent != index)
        };
        let mut nodes: Vec<_> = spans
            .iter()
            .enumerate()
            .map(|place| Node { parent: parent_of(place), ..Node::default() })
            .collect();
        let mut by_start: Vec<_> = (0..spans.len()).collect();
        by_start.sort_by_key(|&index| spans[index].start_ns);
        for &index in by_start.iter().rev() {
            if let Some(parent) = nodes[index].parent {
                nodes[index].next_sibling = nodes[parent].first_child.replace(index);
            }
        }
        let (mut starts, others): (Vec<_>, Vec<_>) =
            by_start.into_iter().partition(|&index| nodes[index].parent.is_none());
        starts.extend(others);
        Self { nodes, starts: starts.into_iter(), ahead: Vec::new(), guides: Vec::new() }
    }

    fn read(&mut self, index: usize, depth: usize) -> Option<Row> {
        let node = self.nodes.get_mut(index)?;
        let next = node.next_sibling.filter(|_| depth > 0);
        self.ahead.extend(next.map(|next| (next, depth)));
        if std::mem::replace(&mut node.is_read, true) {
            return None;
        }
        self.ahead.extend(node.first_child.map(|child| (child, depth + 1)));
        self.guides.truncate(depth.saturating_sub(1));
        if depth > 0 {
            self.guides.push(next.is_some());
        }
        Some(Row {
            index,
            parent: node.parent.filter(|_| depth > 0),
            guides: self.guides.clone(),
            has_children: node.first_child.is_some(),
        })
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            let (index, depth) = match self.ahead.pop() {
                Some(place) => place,
                None => (self.starts.next()?, 0),
            };
            if let Some(row) = self.read(index, depth) {
                return Some(row);
            }
        }
    }
}

/// Whether no span's parent is missing here.
pub(super) fn has_all_parents(spans: &[ShownSpan]) -> bool {
    let by_id = by_id(spans);
    spans.iter().all(|span| span.parent_id == 0 || by_id.contains_key(&span.parent_id))
}

/// Of two spans with one id the first counts.
fn by_id(spans: &[ShownSpan]) -> HashMap<u64, usize> {
    spans.iter().enumerate().rev().map(|(index, span)| (span.span_id, index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(span_id: u64, parent_id: u64, start_ns: u64) -> ShownSpan {
        ShownSpan { span_id, parent_id, start_ns, ..ShownSpan::default() }
    }

    /// Ids, indented.
    fn outline(spans: &[ShownSpan]) -> String {
        Rows::new(spans).fold(String::new(), |outline, row| {
            let indent = "  ".repeat(row.guides.len());
            format!("{outline}{indent}{}\n", spans[row.index].span_id)
        })
    }

    #[test]
    fn children_follow_their_parent_by_start() {
        let spans = [span(4, 2, 40), span(3, 1, 30), span(2, 1, 20), span(1, 0, 10), span(5, 4, 50)];
        assert_eq!(outline(&spans), "1\n  2\n    4\n      5\n  3\n");
    }

    #[test]
    fn guides_tell_where_siblings_follow() {
        let spans = [span(1, 0, 1), span(2, 1, 2), span(3, 2, 3), span(4, 1, 4)];
        let guides: Vec<_> = Rows::new(&spans).map(|row| row.guides).collect();
        assert_eq!(guides, [vec![], vec![true], vec![true, false], vec![false]]);
    }

    #[test]
    fn spans_without_their_parent_are_roots() {
        let spans = [span(7, 99, 30), span(8, 7, 31), span(9, 98, 20)];
        assert_eq!(outline(&spans), "9\n7\n  8\n");
        assert!(!has_all_parents(&spans));
    }

    #[test]
    fn cycles_are_read_once() {
        assert_eq!(outline(&[span(1, 1, 1)]), "1\n");
        assert_eq!(outline(&[span(1, 2, 1), span(2, 1, 2)]), "1\n  2\n");
        assert_eq!(outline(&[span(1, 2, 1), span(2, 1, 2), span(3, 2, 3)]), "1\n  2\n    3\n");
    }

    #[test]
    fn one_id_twice_is_two_spans() {
        assert_eq!(outline(&[span(1, 0, 1), span(1, 0, 2), span(2, 1, 3)]), "1\n  2\n1\n");
    }

    #[test]
    fn a_million_generations_are_read() {
        let spans: Vec<_> = (1..=1_000_000).map(|id| span(id, id - 1, id)).collect();
        assert_eq!(Rows::new(&spans).take(500).last().map(|row| row.guides.len()), Some(499));
    }

    proptest! {
        #[test]
        fn every_span_is_read_exactly_once(ids in prop::collection::vec((0_u64..12, 0_u64..12, 0_u64..5), 0..40)) {
            let spans: Vec<_> = ids.into_iter().map(|(id, parent, start)| span(id, parent, start)).collect();
            let mut read: Vec<_> = Rows::new(&spans).map(|row| row.index).collect();
            read.sort_unstable();
            prop_assert_eq!(read, (0..spans.len()).collect::<Vec<_>>());
        }

        #[test]
        fn a_row_stands_one_level_under_its_parent(ids in prop::collection::vec((0_u64..12, 0_u64..12), 0..40)) {
            let spans: Vec<_> = ids.into_iter().map(|(id, parent)| span(id, parent, 0)).collect();
            let rows: Vec<_> = Rows::new(&spans).collect();
            for row in &rows {
                let parent = rows.iter().find(|other| Some(other.index) == row.parent);
                prop_assert_eq!(row.guides.len(), parent.map_or(0, |parent| parent.guides.len() + 1));
            }
        }
    }
}
