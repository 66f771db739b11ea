//! `cargo run -p dd-traced-examples --bin lines-tracing -- text` (or `json`): events of `tracing` with the ids of their spans, which are
//! those of `#[instrument]` and of `#[traced]`.
#![forbid(unsafe_code)]

use std::error::Error;

use dd_traced::{CorrelatedFormat, SpanLayer, traced};
use tracing::instrument;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

fn main() -> Result<(), Box<dyn Error>> {
    let is_json = match std::env::args().nth(1).as_deref() {
        None | Some("text") => false,
        Some("json") => true,
        Some(other) => return Err(format!("lines have two forms, text and json, and not {other:?}").into()),
    };
    let _tracer = dd_traced::init();
    let lines = if is_json {
        fmt::layer().json().flatten_event(true).map_event_format(CorrelatedFormat::json).boxed()
    } else {
        fmt::layer().with_ansi(false).map_event_format(CorrelatedFormat::text).boxed()
    };
    registry().with(SpanLayer::new()).with(lines).init();

    tracing::info!("the shop opens");
    place_order(2);
    place_order(200);
    Ok(())
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
