//! `cargo run -p dd-traced-examples --bin lines-tracing -- text` (or `json`): events of `tracing` with the ids of their spans, which are
//! those of `#[instrument]` and of `#[traced]`.
#![forbid(unsafe_code)]

use dd_traced::{CorrelatedFormat, SpanLayer, traced};
use tracing::instrument;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

fn main() {
    let _tracer = dd_traced::init();
    let lines = if std::env::args().nth(1).as_deref() == Some("json") {
        fmt::layer().json().flatten_event(true).map_event_format(CorrelatedFormat::json).boxed()
    } else {
        fmt::layer().with_ansi(false).map_event_format(CorrelatedFormat::text).boxed()
    };
    registry().with(SpanLayer::new()).with(lines).init();

    tracing::info!("the shop opens");
    place_order(2);
    place_order(200);
}

#[traced(name = "order.place", resource = "POST /orders")]
fn place_order(items: u32) {
    tracing::info!(items, "placing an order");
    reserve(items);
}

#[instrument(name = "stock.reserve")]
fn reserve(items: u32) {
    if items > 100 {
        tracing::error!("there are no {items} items");
    }
}
