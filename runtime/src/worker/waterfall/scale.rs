//! The time axis: where the bar of a span begins and ends.

use std::ops::Range;

use super::span::ShownSpan;

/// The time that the bars stand for.
#[derive(Debug)]
pub(super) struct Scale {
    start_ns: u64,
    pub(super) total_ns: u64,
}

impl Scale {
    pub(super) fn of(spans: &[ShownSpan]) -> Self {
        let start_ns = spans.iter().map(|span| span.start_ns).min().unwrap_or(0);
        let end_ns = spans.iter().map(ShownSpan::end_ns).max().unwrap_or(0);
        Self { start_ns, total_ns: end_ns.saturating_sub(start_ns) }
    }

    /// The blanks before a span's bar in so many columns, and the bar: at least half a column, never less than the truth.
    pub(super) fn bar(&self, span: &ShownSpan, columns: usize) -> (usize, String) {
        let halves = 2 * columns as u128;
        let total = u128::from(self.total_ns.max(1));
        let from = u128::from(span.start_ns.saturating_sub(self.start_ns)) * halves / total;
        let to = (u128::from(span.end_ns().saturating_sub(self.start_ns)) * halves).div_ceil(total);
        let from = from.min(halves.saturating_sub(1)) as usize;
        let halves = from..(to.min(halves) as usize).max(from + 1);
        (from / 2, (from / 2..halves.end.div_ceil(2)).map(|column| cell(&halves, column)).collect())
    }
}

/// One column of a bar that covers these half columns.
fn cell(halves: &Range<usize>, column: usize) -> char {
    match (halves.contains(&(2 * column)), halves.contains(&(2 * column + 1))) {
        (true, true) => '━',
        (true, false) => '╸',
        (false, _) => '╺',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(start_ns: u64, duration_ns: u64) -> ShownSpan {
        ShownSpan { start_ns, duration_ns, ..ShownSpan::default() }
    }

    fn bars(spans: &[ShownSpan], columns: usize) -> Vec<String> {
        let scale = Scale::of(spans);
        let bars = spans.iter().map(|span| scale.bar(span, columns));
        bars.map(|(blanks, bar)| " ".repeat(blanks) + &bar).collect()
    }

    #[test]
    fn bars_end_on_half_columns() {
        let spans = [span(100, 80), span(110, 20), span(130, 10), span(175, 5), span(180, 0)];
        assert_eq!(bars(&spans, 4), ["━━━━", "╺╸", " ╺", "   ╺", "   ╺"]);
    }

    #[test]
    fn moment_is_half_a_column() {
        assert_eq!(bars(&[span(5, 0), span(5, 0)], 10), ["╸", "╸"]);
    }

    proptest! {
        #[test]
        fn bars_lie_in_their_columns(spans in prop::collection::vec(any::<(u64, u64)>(), 1..10), columns in 1_usize..100) {
            let spans: Vec<_> = spans.into_iter().map(|(start_ns, duration_ns)| span(start_ns, duration_ns)).collect();
            let scale = Scale::of(&spans);
            for span in &spans {
                let (blanks, bar) = scale.bar(span, columns);
                prop_assert!(!bar.is_empty());
                prop_assert!(blanks + bar.chars().count() <= columns, "{blanks} + {bar}");
            }
        }
    }
}
