//! Random programs of spans of every kind, one inside the other: each has the parent that a plain list of entered spans says.

use std::collections::BTreeMap;

use dd_traced::testing::ScopedTracer;
use dd_traced::{SpanLayer, active_span, span, traced};
use dd_traced_tests::Dice;
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

/// A program while it runs, and what is expected of it.
struct Program {
    dice: Dice,
    /// Numbers of the spans that are entered, innermost last.
    entered: Vec<u64>,
    /// The parent of each span; 0 for a root.
    parents: BTreeMap<u64, u64>,
    /// Spans of `tracing` that may be entered again, also from inside of others.
    kept: Vec<(u64, tracing::Span)>,
}

impl Program {
    /// A number for a span with this parent; without one, the one entered last.
    fn number(&mut self, parent: Option<u64>) -> u64 {
        let number = self.parents.len() as u64 + 1;
        let parent = parent.unwrap_or_else(|| self.entered.last().copied().unwrap_or(0));
        self.parents.insert(number, parent);
        number
    }

    fn inside(&mut self, number: u64, depth: u32) {
        self.entered.push(number);
        self.run(depth);
        self.entered.pop();
    }

    fn run(&mut self, depth: u32) {
        for _ in 0..self.dice.below(4) {
            let act = if depth == 0 { 0 } else { 1 + self.dice.below(7) };
            self.act(act, depth.saturating_sub(1));
        }
    }

    fn act(&mut self, act: u64, depth: u32) {
        match act {
            0 => {
                let n = self.number(None);
                drop(info_span!("leaf", n));
            }
            1 => {
                let n = self.number(None);
                annotated(n, || self.inside(n, depth));
            }
            2 => {
                let n = self.number(None);
                let by_hand = span("by hand").tag("n", n).start();
                let active = by_hand.activate();
                self.inside(n, depth);
                drop(active);
                by_hand.finish();
            }
            3 => {
                let n = self.number(None);
                info_span!("scoped", n).in_scope(|| self.inside(n, depth));
            }
            4 => {
                let n = self.number(None);
                self.kept.push((n, info_span!("kept", n)));
            }
            5 => {
                let n = self.number(Some(0));
                info_span!(parent: None, "root", n).in_scope(|| self.inside(n, depth));
            }
            _ => {
                let Some(at) = self.dice.index(self.kept.len()) else { return };
                let (number, kept) = self.kept[at].clone();
                if act == 6 {
                    let n = self.number(Some(number));
                    info_span!(parent: &kept, "explicit", n).in_scope(|| self.inside(n, depth));
                    return;
                }
                kept.in_scope(|| self.inside(number, depth));
                if self.dice.below(2) == 0 {
                    self.kept.retain(|(other, _)| *other != number);
                }
            }
        }
    }
}

#[traced("annotated", tags(n = n))]
fn annotated(n: u64, inside: impl FnOnce()) {
    inside();
}

#[test]
fn every_span_has_the_parent_that_was_entered_last() {
    let (mut spans, mut deep) = (0, 0);
    for seed in 0..400 {
        let tracer = ScopedTracer::with_parts_of(7);
        let mut program = Program {
            dice: Dice::new(seed),
            entered: Vec::new(),
            parents: BTreeMap::new(),
            kept: Vec::new(),
        };
        let subscriber = tracing_subscriber::registry().with(SpanLayer::new());
        tracing::subscriber::with_default(subscriber, || {
            program.run(5);
            program.kept.clear();
        });
        assert_eq!(active_span().span_id().as_u64(), 0, "seed {seed}");

        let finished = tracer.finished();
        let numbers: BTreeMap<_, _> =
            finished.iter().map(|span| (span.span_id, span.metrics["n"] as u64)).collect();
        let parents: BTreeMap<u64, u64> = finished
            .iter()
            .map(|span| (span.metrics["n"] as u64, numbers.get(&span.parent_id).copied().unwrap_or(0)))
            .collect();
        assert_eq!(parents, program.parents, "seed {seed}: {}", tracer.tree());
        spans += parents.len();
        deep += parents.values().filter(|parent| **parent != 0).count();
    }
    assert!(spans > 2_000 && deep > 1_000, "the programs were worth it: {spans} spans, {deep} with a parent");
}
