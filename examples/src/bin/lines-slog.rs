//! `cargo run -p dd-traced-examples --bin lines-slog -- text` (or `json`): records of `slog` with the ids of their spans, written by a thread
//! of `slog-async`.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io;

use dd_traced::{CorrelatedDrain, traced};
use slog::{Drain, Logger, error, info, o};

fn main() -> Result<(), Box<dyn Error>> {
    let is_json = match std::env::args().nth(1).as_deref() {
        None | Some("text") => false,
        Some("json") => true,
        Some(other) => return Err(format!("lines have two forms, text and json, and not {other:?}").into()),
    };
    let _tracer = dd_traced::init();
    let logger = if is_json {
        let drain = slog_json::Json::default(io::stdout()).fuse();
        let queue = slog_async::Async::new(drain).build();
        Logger::root(CorrelatedDrain::structured(queue).fuse(), o!("shop" => "Berlin"))
    } else {
        let drain =
            slog_term::FullFormat::new(slog_term::PlainSyncDecorator::new(io::stdout())).build().fuse();
        let queue = slog_async::Async::new(drain).build();
        Logger::root(CorrelatedDrain::text(queue).fuse(), o!("shop" => "Berlin"))
    };

    info!(logger, "the shop opens");
    place_order(&logger, 2);
    place_order(&logger, 200);
    Ok(())
}

#[traced(name = "order.place", resource = "POST /orders")]
fn place_order(logger: &Logger, items: u32) {
    info!(logger, "placing an order"; "items" => items);
    reserve(logger, items);
}

#[traced(name = "stock.reserve")]
fn reserve(logger: &Logger, items: u32) {
    if items > 100 {
        error!(logger, "there are no {items} items");
    }
}
