//! A log line as a service writes it: time, level, module, ids, message, into a reused buffer and out by one `write`.

use std::cell::RefCell;
use std::fmt::{self, Display, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes one line to `/dev/null` with `ids` in it.
pub(crate) fn write(ids: &dyn Display, orders: u64) {
    OUTPUT.with_borrow_mut(|(buffer, file)| {
        buffer.clear();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let _ = writeln!(
            buffer,
            "{}.{:06} INFO [shop::orders] [{ids}] placing an order of {orders} items",
            now.as_secs(),
            now.subsec_micros(),
        );
        let _ = file.write_all(buffer.as_bytes());
    });
}

/// Ids the way the OpenTelemetry peers and `fastrace` have them, with the names that Datadog looks for.
pub(crate) struct Ids {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
}

impl Ids {
    /// Any ids, unknown to the compiler.
    pub(crate) fn constant() -> Self {
        Self {
            trace_id: std::hint::black_box(0x68f0_a1b2_0000_0000_1234_5678_9abc_def0),
            span_id: std::hint::black_box(0x0fed_cba9_8765_4321),
        }
    }
}

impl Display for Ids {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "dd.service=shop dd.env=bench dd.version=1.0.0 dd.trace_id={:032x} dd.span_id={}",
            self.trace_id, self.span_id
        )
    }
}

thread_local! {
    static OUTPUT: RefCell<(String, File)> = RefCell::new((
        String::with_capacity(512),
        OpenOptions::new().write(true).open("/dev/null").expect("/dev/null takes what it is given"),
    ));
}
