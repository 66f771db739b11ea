use super::*;
use crate::model::ids::{SpanId, TraceId};
use crate::model::priority::{Decision, Mechanism, SamplingPriority};
use crate::model::upstream::PropagatedTags;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

fn time(name: &str, mut f: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..30 {
        let start = Instant::now();
        for _ in 0..20_000 {
            f();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / 20_000.0);
    }
    println!("{name}: {best:.1} ns");
}
struct Nothing(usize);
impl Inject for Nothing {
    fn set(&mut self, n: &str, v: &str) {
        self.0 = self.0.wrapping_add(black_box(n).len() ^ black_box(v).len());
    }
}

#[test]
#[ignore]
fn speed() {
    let settings = PropagationSettings::default();
    let tags = PropagatedTags::default();
    let ctx = Outgoing {
        trace_id: TraceId::new(0x6a5c_1f40_0000_0000_3a7b_9c1d_2e4f_6081),
        span_id: SpanId::new(0x7b2d_4e6f_8091_2a3c),
        decision: Some(Decision {
            priority: SamplingPriority::AUTO_KEEP,
            mechanism: Some(Mechanism::AGENT_RATE),
            rate: Some(0.25),
        }),
        origin: None,
        tags: &tags,
        tracestate: None,
        last_parent: LastParent::Own,
    };
    time("inject nothing", || {
        inject(black_box(&ctx), &settings, &mut Nothing(0));
    });
    time("inject new HashMap", || {
        let mut m: HashMap<String, String> = HashMap::new();
        inject(black_box(&ctx), &settings, &mut m);
        black_box(m);
    });
    let mut m: HashMap<String, String> = HashMap::new();
    time("inject reused HashMap", || {
        inject(black_box(&ctx), &settings, &mut m);
    });
    time("inject cleared HashMap", || {
        m.clear();
        inject(black_box(&ctx), &settings, &mut m);
    });
    let mut h = http::HeaderMap::new();
    time("inject reused HeaderMap", || {
        inject(black_box(&ctx), &settings, &mut h);
    });
    time("inject new HeaderMap", || {
        let mut h = http::HeaderMap::new();
        inject(black_box(&ctx), &settings, &mut h);
        black_box(h);
    });
    let mut v: Vec<(String, String)> = Vec::new();
    time("inject reused Vec", || {
        inject(black_box(&ctx), &settings, &mut v);
    });
    let foreign = Outgoing { tracestate: Some("acme=k1,other=v2"), ..ctx };
    time("inject nothing, foreign", || {
        inject(black_box(&foreign), &settings, &mut Nothing(0));
    });
    m.clear();
    inject(&ctx, &settings, &mut m);
    h.clear();
    inject(&ctx, &settings, &mut h);
    let id = || TraceId::new(1);
    time("extract HashMap 6", || {
        black_box(extract(black_box(&m), &settings, id));
    });
    time("extract HeaderMap 6", || {
        black_box(extract(black_box(&h), &settings, id));
    });
    let v: Vec<(String, String)> = m.clone().into_iter().collect();
    time("extract Vec 6", || {
        black_box(extract(black_box(&v), &settings, id));
    });
    for n in [
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-type",
        "content-length",
        "cookie",
        "cache-control",
        "pragma",
        "x-request-id",
        "x-forwarded-for",
        "x-forwarded-proto",
    ] {
        m.insert(n.to_owned(), "value".to_owned());
        h.insert(http::HeaderName::from_static(n), http::HeaderValue::from_static("v"));
    }
    time("extract HashMap 20", || {
        black_box(extract(black_box(&m), &settings, id));
    });
    time("extract HeaderMap 20", || {
        black_box(extract(black_box(&h), &settings, id));
    });
    m.insert("tracestate".into(), "dd=s:1;p:7b2d4e6f80912a3c;t.dm:-1,acme=k1,other=v2".into());
    time("extract HashMap 20 foreign", || {
        black_box(extract(black_box(&m), &settings, id));
    });
    m.remove("x-datadog-trace-id");
    time("extract HashMap w3c", || {
        black_box(extract(black_box(&m), &settings, id));
    });
    m.retain(|k, _| !k.starts_with("x-dat") && !k.starts_with("trace"));
    time("extract HashMap none", || {
        black_box(extract(black_box(&m), &settings, id));
    });
    time("hex", || {
        black_box(crate::model::ids::hex(black_box(7777777777)));
    });
    time("decimal", || {
        black_box(crate::model::ids::decimal(black_box(8_875_836_681_422_449_212)));
    });
    time("parse dec", || {
        black_box(number::decimal(black_box("8875836681422449212")));
    });
    time("traceparent", || {
        black_box(traceparent::Traceparent::parse(black_box(
            "00-6a5c1f40000000003a7b9c1d2e4f6081-00f067aa0ba902b7-01",
        )));
    });
    time("tags", || {
        black_box(tags::decode(black_box("_dd.p.dm=-1,_dd.p.tid=6a5c1f4000000000,_dd.p.ksr=0.25"), 512));
    });
    time("tracestate", || {
        let mut t = tracestate::Tracestate::new(tracestate::Own::LastParent);
        t.push_line(black_box("dd=s:1;p:7b2d4e6f80912a3c;t.dm:-1"));
        black_box(t);
    });
    time("hashmap get miss", || {
        black_box(m.get(black_box("x-datadog-parent-id")));
    });
    time("format 2 strings", || {
        black_box(black_box("x-datadog-parent-id").to_owned());
    });
}
