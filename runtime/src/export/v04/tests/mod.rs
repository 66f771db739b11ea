//! Chunks written and read back.

mod context;
mod events;
mod limits;
mod measure;
mod spans;
mod tags;

use super::SpanDefaults;
use crate::model::CallSite;

static PLAIN: CallSite = CallSite::function("shop::cart", "add");
static TYPED: CallSite = CallSite::named("db.query").resource("SELECT 1").span_type("sql");

fn defaults() -> SpanDefaults {
    SpanDefaults {
        service: "shop".into(),
        env: Some("prod".into()),
        version: Some("1.4.2".into()),
        tags: vec![("team".into(), "cart".into())],
        runtime_id: "0f0e6a52-5d0e-4b1b-9b5f-8f5a6d1c2e33".into(),
        process_id: 4242,
        ..SpanDefaults::default()
    }
}
