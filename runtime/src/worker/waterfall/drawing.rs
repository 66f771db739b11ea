//! One trace as text: a header, then for each span its place in the tree, what it is, how long it took, and when.

use super::entry::{Entry, Services};
use super::scale::Scale;
use super::span::ShownSpan;
use super::text::{Colour, Duration, Line, Piece};
use super::tree::{Row, Rows};
use crate::sampling::WhySampled;

/// What is drawn.
#[derive(Debug)]
pub(super) struct Drawing<'a> {
    pub(super) trace_id: u128,
    pub(super) why: WhySampled,
    /// Whether the trace has finished, as far as this process knows.
    pub(super) is_complete: bool,
    pub(super) spans: &'a [ShownSpan],
}

/// What it is drawn on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sheet {
    width: usize,
    has_colours: bool,
}

impl Sheet {
    pub(super) fn new(width: usize, has_colours: bool) -> Self {
        Self { width: width.clamp(MIN_WIDTH, MAX_WIDTH), has_colours }
    }

    /// The whole text of a trace, closed by an empty line.
    pub(super) fn draw(self, drawing: &Drawing<'_>) -> String {
        let mut out = String::new();
        let entries = self.entries(drawing.spans);
        for line in self.wrapped(header(drawing)) {
            self.line(&mut out, &line);
        }
        self.draw_entries(&mut out, &entries, &Scale::of(drawing.spans));
        if let Some(rest) = rest(drawing.spans, &entries) {
            self.line(&mut out, &[Piece::new(Colour::Dim, &rest)]);
        }
        out.push('\n');
        out
    }

    /// What the first spans show, in at most [`MAX_LINES`] lines.
    fn entries(self, spans: &[ShownSpan]) -> Vec<Entry<'_>> {
        let mut services = Services::default();
        services.place(service_of(spans));
        let mut lines = 0;
        let entry = |row: Row| Entry::new(spans, &row, &mut services, self.label_columns() / 6);
        Rows::new(spans)
            .map(entry)
            .take_while(|entry| {
                lines += 1 + usize::from(entry.message.is_some());
                lines <= MAX_LINES
            })
            .collect()
    }

    fn draw_entries(self, out: &mut String, entries: &[Entry<'_>], scale: &Scale) {
        let widest = |columns: fn(&Entry<'_>) -> usize| entries.iter().map(columns).max().unwrap_or(0);
        let label_end =
            widest(|entry| entry.label.iter().map(Piece::columns).sum()).min(self.label_columns());
        let duration_end = label_end + GAP + widest(|entry| entry.duration.columns());
        let bars = duration_end + GAP..self.width;
        for entry in entries {
            let (blanks, bar) = scale.bar(entry.span, bars.len());
            let mut line = Line::new(out, self.has_colours);
            line.put(label_end, &entry.label);
            line.move_to(duration_end - entry.duration.columns());
            line.put(duration_end, std::slice::from_ref(&entry.duration));
            line.move_to(bars.start + blanks);
            line.put(bars.end, &[Piece::new(entry.bar_colour, &bar)]);
            line.end();
            if let Some(message) = &entry.message {
                self.line(out, message);
            }
        }
    }

    /// The pieces with separators between them, in as many lines as they need.
    fn wrapped(self, pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
        let separator = Piece::new(Colour::Dim, " · ");
        let (mut lines, mut column) = (Vec::<Vec<Piece>>::new(), 0);
        for piece in pieces {
            column += separator.columns() + piece.columns();
            if let Some(line) = lines.last_mut().filter(|_| column <= self.width) {
                line.extend([separator.clone(), piece]);
            } else {
                let indent = Piece::new(Colour::Plain, if lines.is_empty() { "" } else { "  " });
                column = indent.columns() + piece.columns();
                lines.push(vec![indent, piece]);
            }
        }
        lines
    }

    fn line(self, out: &mut String, pieces: &[Piece]) {
        let mut line = Line::new(out, self.has_colours);
        line.put(self.width, pieces);
        line.end();
    }

    /// The most that names may take from the bars.
    fn label_columns(self) -> usize {
        self.width * 3 / 5
    }
}

/// The service that the trace came to first.
fn service_of(spans: &[ShownSpan]) -> &str {
    let local_roots = spans.iter().filter(|span| span.is_local_root);
    let earliest = local_roots.min_by_key(|span| span.start_ns);
    earliest.or(spans.iter().min_by_key(|span| span.start_ns)).map_or("", |span| &span.service)
}

fn header(drawing: &Drawing<'_>) -> Vec<Piece> {
    let failures = failures(drawing.spans.iter());
    let mut facts = vec![
        (Colour::Bold, format!("trace {:032x}", drawing.trace_id)),
        (Colour::Service(0), service_of(drawing.spans).to_owned()),
        (Colour::Plain, Duration(Scale::of(drawing.spans).total_ns).to_string()),
        (Colour::Plain, count(drawing.spans.len(), "span")),
        (if failures > 0 { Colour::Failed } else { Colour::Plain }, count(failures, "error")),
        (if drawing.why.is_kept() { Colour::Plain } else { Colour::Warning }, drawing.why.to_string()),
    ];
    if !drawing.is_complete {
        facts.push((Colour::Warning, "incomplete".to_owned()));
    }
    facts
        .iter()
        .filter(|(_, fact)| !fact.is_empty())
        .map(|(colour, fact)| Piece::new(*colour, fact))
        .collect()
}

/// Says what there was no room for.
fn rest(spans: &[ShownSpan], entries: &[Entry<'_>]) -> Option<String> {
    let hidden = spans.len() - entries.len();
    let failed = failures(spans.iter()) - failures(entries.iter().map(|entry| entry.span));
    let failed = if failed > 0 { format!(", {failed} of them failed") } else { String::new() };
    (hidden > 0).then(|| format!("… {}{failed}", count(hidden, "more span")))
}

fn failures<'a>(spans: impl Iterator<Item = &'a ShownSpan>) -> usize {
    spans.filter(|span| span.error.is_some()).count()
}

pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

const MIN_WIDTH: usize = 40;
const MAX_WIDTH: usize = 500;
/// Lines of one trace, its header and closing line not counted.
const MAX_LINES: usize = 500;
/// Columns between names, durations and bars.
const GAP: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Decision, Mechanism, SamplingPriority};
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn span(span_id: u64, parent_id: u64, name: &str, from_ms: u64, to_ms: u64) -> ShownSpan {
        ShownSpan {
            span_id,
            parent_id,
            name: name.to_owned(),
            service: "shop".to_owned(),
            resource: name.to_owned(),
            start_ns: 1_700_000_000_000_000_000 + from_ms * MS,
            duration_ns: (to_ms - from_ms) * MS,
            error: None,
            is_local_root: parent_id == 0,
            ..ShownSpan::default()
        }
    }

    fn order() -> Vec<ShownSpan> {
        let mut spans = vec![
            span(1, 0, "web.request", 0, 48),
            span(2, 1, "shop.place_order", 1, 47),
            span(3, 2, "shop.check_stock", 2, 4),
            span(4, 2, "payment.charge", 4, 44),
            span(5, 4, "web.request", 8, 40),
            span(6, 2, "shop.pack", 45, 46),
        ];
        spans[0].resource = "POST /orders".to_owned();
        spans[4].resource = "POST /charge".to_owned();
        spans[4].service = "payments".to_owned();
        for (index, error) in [(1, "payment refused"), (3, "payment refused"), (4, "card is blocked")] {
            spans[index].error = Some(error.to_owned());
        }
        spans[5].duration_ns = 850_000;
        spans
    }

    fn kept() -> WhySampled {
        let mechanism = Some(Mechanism::DEFAULT);
        WhySampled::of(Decision { priority: SamplingPriority::AUTO_KEEP, mechanism, rate: None })
    }

    fn rejected() -> WhySampled {
        let mechanism = Some(Mechanism::MANUAL);
        WhySampled::of(Decision { priority: SamplingPriority::USER_REJECT, mechanism, rate: None })
    }

    fn drawn(width: usize, spans: &[ShownSpan]) -> String {
        let trace_id = 0x68b0_c1f2_0000_0000_0000_0000_0000_002a;
        let drawing = Drawing { trace_id, why: kept(), is_complete: true, spans };
        Sheet::new(width, false).draw(&drawing)
    }

    /// Without the header, which is one line in this width.
    fn tree(width: usize, spans: &[ShownSpan]) -> String {
        drawn(width, spans).split_once('\n').map(|(_, tree)| tree.to_owned()).unwrap()
    }

    #[test]
    fn trace_is_a_tree_with_bars() {
        let expected = "\
trace 68b0c1f200000000000000000000002a · shop · 48.0 ms · 6 spans · 3 errors · kept by default
web.request POST /orders                        48.0 ms  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
└─ ✗ shop.place_order                           46.0 ms  ╺━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╸
   │ payment refused
   ├─ shop.check_stock                          2.00 ms   ╺━━
   ├─ ✗ payment.charge                          40.0 ms     ╺━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╸
   │  └─ ✗ [payments] web.request POST /charge  32.0 ms         ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
   │       card is blocked
   └─ shop.pack                                  850 µs                                          ━╸

";
        assert_eq!(drawn(100, &order()), expected);
    }

    #[test]
    fn narrow_sheet_cuts_names_and_wraps_the_header() {
        let expected = "\
trace 68b0c1f200000000000000000000002a
  shop · 48.0 ms · 6 spans · 3 errors
  kept by default
web.request POST /orders  48.0 ms  ━━━━━
└─ ✗ shop.place_order     46.0 ms  ━━━━━
   │ payment refused
   ├─ shop.check_stock    2.00 ms  ╸
   ├─ ✗ payment.charge    40.0 ms  ━━━━━
   │  └─ ✗ [payments] w…  32.0 ms  ╺━━━╸
   │       card is blocked
   └─ shop.pack            850 µs      ╺

";
        assert_eq!(drawn(40, &order()), expected);
        assert_eq!(drawn(0, &order()), expected);
    }

    #[test]
    fn header_marks_what_is_not_kept_and_what_is_incomplete() {
        let spans = [span(1, 0, "job", 0, 12)];
        let drawing = Drawing { trace_id: 7, why: rejected(), is_complete: false, spans: &spans };
        let expected = "\
trace 00000000000000000000000000000007 · shop · 12.0 ms · 1 span · 0 errors
  rejected by hand · incomplete
job  12.0 ms  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

";
        assert_eq!(Sheet::new(80, false).draw(&drawing), expected);
    }

    #[test]
    fn links_and_events_are_counted() {
        let mut spans = [span(1, 0, "job", 0, 4), span(2, 1, "call", 0, 4)];
        (spans[0].links, spans[0].events, spans[1].events) = (1, 2, 1);
        let labels: Vec<String> =
            tree(100, &spans).lines().map(|line| line.split("  ").next().unwrap().to_owned()).collect();
        assert_eq!(labels[..2], ["job +1 link +2 events", "└─ call +1 event"]);
    }

    #[test]
    fn trace_is_of_the_service_it_came_to_first() {
        let mut spans = vec![span(2, 1, "called", 5, 9), span(1, 0, "caller", 0, 12)];
        spans[0].service = "payments".to_owned();
        spans[0].is_local_root = true;
        let drawn = drawn(100, &spans);
        assert!(drawn.contains("002a · shop · ") && drawn.contains("└─ [payments] called"), "{drawn}");
    }

    #[test]
    fn colours_mark_failures_and_services() {
        let mut spans = vec![span(1, 0, "job", 0, 4), span(2, 1, "call", 0, 4)];
        spans[1].service = "db".to_owned();
        spans[1].error = Some("gone".to_owned());
        let drawing = Drawing { trace_id: 7, why: rejected(), is_complete: true, spans: &spans };
        let drawn = Sheet::new(40, true).draw(&drawing).replace('\u{1b}', "^");
        let tree: Vec<_> = drawn.lines().skip(3).collect();
        assert!(drawn.contains("^[33mrejected by hand^[0m"), "{drawn}");
        assert_eq!(
            tree,
            [
                "job             4.00 ms  ^[36m━━━━━━━━━━━━━━━^[0m",
                "^[2m└─ ^[0m^[31m✗ ^[0m^[35m[db] ^[0mcall  4.00 ms  ^[31m━━━━━━━━━━━━━━━^[0m",
                "^[2m     ^[0m^[31mgone^[0m",
                ""
            ]
        );
    }

    #[test]
    fn roots_from_elsewhere_are_marked_and_stand_beside_each_other() {
        let mut spans = vec![span(2, 70, "web.request", 0, 10), span(3, 71, "ship", 10, 20)];
        spans[1].service = "shipping".to_owned();
        let (half, rest) = ("━".repeat(35), " ".repeat(35));
        let expected =
            format!("↳ web.request      10.0 ms  {half}\n↳ [shipping] ship  10.0 ms  {rest}{half}\n\n");
        assert_eq!(tree(98, &spans), expected);
    }

    #[test]
    fn deep_levels_show_their_innermost_lines() {
        let spans: Vec<_> = (1..=7).map(|id| span(id, id - 1, "f", 0, 1)).collect();
        let labels: String = drawn(40, &spans)
            .lines()
            .skip(3)
            .filter_map(|line| line.split_once("  1.00"))
            .fold(String::new(), |labels, (label, _)| labels + label.trim_end() + "\n");
        let expected = "\
f
└─ f
   └─ f
      └─ f
         └─ f
…         └─ f
…         └─ f
";
        assert_eq!(labels, expected);
    }

    #[test]
    fn large_trace_is_cut_with_a_count_of_the_rest() {
        let mut spans: Vec<_> = (1..=MAX_LINES as u64).map(|id| span(id, 0, "f", 0, 1)).collect();
        assert_eq!(drawn(100, &spans).lines().count(), 1 + MAX_LINES + 1);
        assert!(!drawn(100, &spans).contains('…'));

        spans.push(span(1_000, 0, "f", 0, 1));
        let text = drawn(100, &spans);
        assert!(text.ends_with("\n… 1 more span\n\n"), "{text}");

        spans.last_mut().unwrap().error = Some("late".to_owned());
        spans.push(span(1_001, 0, "f", 0, 1));
        let text = drawn(100, &spans);
        assert!(text.ends_with("\n… 2 more spans, 1 of them failed\n\n"), "{text}");
        assert_eq!(text.lines().count(), 1 + MAX_LINES + 2);
    }

    #[test]
    fn a_million_spans_are_drawn_in_five_hundred_lines() {
        let spans: Vec<_> = (1..=1_000_000).map(|id| span(id, id / 2, "f", 0, 1)).collect();
        let text = drawn(120, &spans);
        assert!(text.ends_with("\n… 999500 more spans\n\n"));
        assert_eq!(text.lines().count(), 1 + MAX_LINES + 2);
    }

    #[test]
    fn names_can_not_drive_the_terminal() {
        let mut hostile = span(1, 0, "a\u{1b}[2Jb", 0, 1);
        hostile.service = "s\u{202e}".to_owned();
        hostile.resource = "r\r\n".to_owned();
        hostile.error = Some("e\u{9b}\u{2028}dd.trace_id=1".to_owned());
        let text = drawn(200, &[hostile]);
        assert_eq!(text.lines().count(), 4);
        for escaped in [r"a\u{1b}[2Jb", r"s\u{202e}", r"r\r\n", r"e\u{9b}\u{2028}dd.trace_id=1"] {
            assert!(text.contains(escaped), "{escaped} in {text}");
        }
    }

    fn any_span() -> impl Strategy<Value = ShownSpan> {
        let ids = (0_u64..20, 0_u64..20);
        let times = (any::<u64>(), any::<u64>());
        (ids, times, any::<(String, String, String)>(), any::<(Option<String>, bool)>()).prop_map(
            |(
                (span_id, parent_id),
                (start_ns, duration_ns),
                (name, service, resource),
                (error, is_local_root),
            )| {
                ShownSpan {
                    span_id,
                    parent_id,
                    name,
                    service,
                    resource,
                    start_ns,
                    duration_ns,
                    error,
                    is_local_root,
                    ..ShownSpan::default()
                }
            },
        )
    }

    proptest! {
        #[test]
        fn any_trace_stays_in_its_width(spans in prop::collection::vec(any_span(), 0..30), width in 0_usize..150) {
            let text = drawn(width, &spans);
            let width = Sheet::new(width, false).width;
            for line in text.lines() {
                prop_assert!(Piece::new(Colour::Plain, line).columns() <= width, "{line:?}");
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            }
            prop_assert!(text.ends_with("\n\n"));
        }
    }
}
