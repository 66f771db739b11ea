//! The encoder of `libdd-trace-utils`, as the exporter of the official tracer calls it: into a new buffer of the size of
//! the one before.

use libdd_trace_utils::msgpack_encoder::v04::to_vec_with_capacity_from_v04;
use libdd_trace_utils::span::SliceData;
use libdd_trace_utils::span::v04::Span;
use libdd_trace_utils::trace_utils::convert_trace_chunks_v04_to_v05;
use libdd_trace_utils::tracer_payload::TraceChunks;

use crate::peer::{Encode, Peer};
use crate::peers;

pub(crate) const PEER: Peer =
    Peer { name: peers::LIBDD, encode_v04: Some(encode_v04), encode_v05: Some(encode_v05), ..Peer::ABSENT };

fn encode_v04(spans: u32) -> Encode {
    let chunks = [chunk(spans)];
    let mut capacity = 0;
    Box::new(move || {
        let bytes = to_vec_with_capacity_from_v04(std::hint::black_box(&chunks), capacity);
        capacity = bytes.len() as u32;
        std::hint::black_box(bytes).len()
    })
}

fn encode_v05(spans: u32) -> Encode {
    let chunks = [chunk(spans)];
    let mut capacity = 0;
    Box::new(move || {
        let converted = convert_trace_chunks_v04_to_v05(std::hint::black_box(&chunks));
        let Ok(TraceChunks::V05(payload)) = converted else { return 0 };
        let mut bytes = Vec::with_capacity(capacity);
        rmp_serde::encode::write(&mut bytes, &payload).expect("a buffer takes what is written");
        capacity = bytes.len();
        std::hint::black_box(bytes).len()
    })
}

fn chunk(spans: u32) -> Vec<Span<SliceData<'static>>> {
    const TRACE_ID: u128 = 0x68f0_a1b2_0000_0000_1234_5678_9abc_def0;
    const ROOT: u64 = 0x0fed_cba9_8765_4321;
    let span = |number: u64| Span {
        service: "shop".into(),
        name: "shop.orders.tagged_call".into(),
        resource: "shop.orders.tagged_call".into(),
        trace_id: TRACE_ID,
        span_id: ROOT.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        parent_id: if number == 0 { 0 } else { ROOT },
        start: 1_760_000_000_000_000_000 + number as i64 * 1_000,
        duration: 750 + number as i64,
        meta: vec![("shop.city".into(), "Berlin".into())].into(),
        metrics: vec![("order.items".into(), number as f64)].into(),
        ..Span::default()
    };
    let mut chunk: Vec<_> = (0..u64::from(spans)).map(span).collect();
    // What the first span of a chunk carries for all of them.
    chunk[0].meta.insert("_dd.p.tid".into(), "68f0a1b200000000".into());
    chunk[0].meta.insert("_dd.p.dm".into(), "-0".into());
    chunk[0].metrics.insert("_sampling_priority_v1".into(), 1.0);
    chunk[0].metrics.insert("_dd.top_level".into(), 1.0);
    // Its exporter drops duplicate keys on the way to the encoder, which would do it each time otherwise.
    chunk.iter_mut().for_each(Span::dedup);
    chunk
}
