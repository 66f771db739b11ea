//! Log lines.

use dd_traced::dd_log;

/// A line that starts with the ids.
pub fn prefix(items: usize) {
    dd_log!(warn, "{items} items are a lot, {} would do", items / 2);
}

/// A line with the ids where they are wanted.
pub fn placeholders(items: usize) {
    dd_log!("{items} items in {dd.trace_id}, span {dd.span_id:>20}");
}

/// Target and key-values.
pub fn structured(user: &str) {
    dd_log!(error, target: "orders", user = user; "no order");
}
