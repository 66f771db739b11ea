//! `cargo run -p dd-traced-examples --bin lines-log -- text` (or `json`): lines of the `log` crate, written by `env_logger`, with the ids
//! of their spans.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};

use dd_traced::{CorrelatedLogger, dd_log, traced};
use env_logger::fmt::Formatter;
use log::kv::{self, Key, Value, VisitSource};
use log::{LevelFilter, Record};

fn main() -> Result<(), Box<dyn Error>> {
    let is_json = match std::env::args().nth(1).as_deref() {
        None | Some("text") => false,
        Some("json") => true,
        Some(other) => return Err(format!("lines have two forms, text and json, and not {other:?}").into()),
    };
    let _tracer = dd_traced::init();
    let mut builder = env_logger::Builder::new();
    builder.filter_level(LevelFilter::Info).target(env_logger::Target::Stdout).format_timestamp(None);
    if is_json {
        CorrelatedLogger::structured(builder.format(json).build()).install(LevelFilter::Info)?;
    } else {
        CorrelatedLogger::text(builder.build()).install(LevelFilter::Info)?;
    }

    log::info!("the shop opens");
    place_order(2);
    place_order(200);
    Ok(())
}

#[traced(name = "order.place", resource = "POST /orders")]
fn place_order(items: u32) {
    log::info!(items = items; "placing an order");
    reserve(items);
}

#[traced(name = "stock.reserve")]
fn reserve(items: u32) {
    if items > 100 {
        // Its own prefix is left out, since the logger has a wrapper.
        dd_log!(error, "there are no {items} items");
    }
}

/// A record as an object, its key-values at the root.
fn json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut members = Members(BTreeMap::new());
    members.0.insert("level".to_owned(), record.level().to_string().into());
    members.0.insert("message".to_owned(), record.args().to_string().into());
    record.key_values().visit(&mut members).map_err(io::Error::other)?;
    writeln!(out, "{}", serde_json::to_string(&members.0)?)
}

struct Members(BTreeMap<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for Members {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let number = value.to_i64().map(serde_json::Value::from);
        self.0.insert(key.to_string(), number.unwrap_or_else(|| value.to_string().into()));
        Ok(())
    }
}
