//! A span has room for 1 000 tags of its own: more are counted, and the span arrives.

use dd_traced::span;
use dd_traced_tests::with_tracer;

#[test]
fn tags_beyond_the_limit_are_counted_instead_of_sent() {
    for (count, kept) in [(999_u64, 999), (1_000, 1_000), (1_001, 1_000), (2_000, 1_000)] {
        let (received, _) = with_tracer(|_, tracer| {
            let tagged = span("tagged").start();
            for index in 0..count {
                tagged.set_tag(format!("tag.{index}"), index);
            }
            tagged.set_tag("tag.0", "again");
            tagged.finish();
            assert!(tracer.flush(dd_traced_tests::PATIENCE));
            let counters = dd_traced::counters();
            assert_eq!(counters.left_out_tags(), count - kept);
            assert_eq!((counters.acknowledged(), counters.dropped_total()), (1, 0));
        });
        let span = received.span("tagged");
        let own = span.metrics.keys().chain(span.meta.keys()).filter(|key| key.starts_with("tag."));
        assert_eq!(own.count() as u64, kept);
        assert_eq!(span.meta["tag.0"], "again");
    }
}
