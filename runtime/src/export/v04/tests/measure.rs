//! How long encoding takes.

use super::super::testing::{KEEP, UNLIMITED, batch, timeline};
use super::super::{Chunk, Encoder, Payload, SpanDefaults};
use super::PLAIN;

/// Run with `cargo test --release -- --ignored --nocapture encoding_takes`.
#[test]
#[ignore = "measures"]
fn encoding_takes_some_nanoseconds_a_span() {
    for (chunks, spans) in [(1, 100), (100, 1), (10_000, 1), (1_000, 10), (100, 100)] {
        let batch = batch(&PLAIN, chunks, spans);
        let mut encoder = Encoder::new(&SpanDefaults { service: "shop".into(), ..SpanDefaults::default() });
        let timeline = timeline();
        let (mut best, mut len, mut memory) = (f64::MAX, 0, Vec::new());
        for _ in 0..2_000_000 / batch.common.len() {
            let mut payload = Payload::reusing(memory);
            let start = std::time::Instant::now();
            for head in &batch.heads {
                let records = &batch.common.records[head.first as usize..][..head.len as usize];
                let chunk = Chunk { head, records, tags: &batch.common.tags, decision: KEEP, selected: &[] };
                encoder.chunk(&mut payload, &chunk, &timeline, 0, UNLIMITED);
            }
            best = best.min(start.elapsed().as_nanos() as f64 / batch.common.len() as f64);
            len = payload.len();
            memory = payload.into_body();
        }
        let bytes = len / batch.common.len();
        println!("{chunks} chunks of {spans} spans: {best:.1} ns a span, {bytes} bytes a span");
    }
}
