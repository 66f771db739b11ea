use std::path::Path;

use dd_traced::{SpanEvent, active_span, span};

struct Receipt;

fn main() {
    let span = span("order").tag("path", Path::new("/orders").display()).start();
    span.set_tag("receipt", Receipt);
    active_span().add_event(SpanEvent::new("sent").attribute("receipt", Receipt));
}
