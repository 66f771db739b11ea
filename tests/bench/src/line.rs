//! A log line as a service writes it: time, level, module, ids, message, into a reused buffer and out by one `write`.

use std::cell::RefCell;
use std::fmt::{self, Display, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes one line to `/dev/null` with `ids` in it.
pub(crate) fn write(ids: &dyn Display, orders: u64) {
    write_message(format_args!("[{ids}] placing an order of {orders} items"));
}

/// Writes one line to `/dev/null`.
pub(crate) fn write_message(message: fmt::Arguments<'_>) {
    write_record(message, |_| ());
}

/// Writes one line to `/dev/null`, with more behind the message.
pub(crate) fn write_record(message: fmt::Arguments<'_>, more: impl FnOnce(&mut String)) {
    OUTPUT.with_borrow_mut(|(buffer, file)| {
        buffer.clear();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let _ = write!(buffer, "{}.{:06} INFO [shop::orders] {message}", now.as_secs(), now.subsec_micros());
        more(buffer);
        buffer.push('\n');
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

impl Ids {
    /// The same as members of a JSON object.
    pub(crate) fn members(&self) -> impl Display + use<> {
        let Self { trace_id, span_id } = *self;
        fmt::from_fn(move |formatter| {
            write!(
                formatter,
                r#""dd.service":"shop","dd.env":"bench","dd.version":"1.0.0","dd.trace_id":"{trace_id:032x}","dd.span_id":"{span_id}""#,
            )
        })
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

/// Where all lines go.
pub(crate) fn null() -> &'static File {
    static NULL: OnceLock<File> = OnceLock::new();
    NULL.get_or_init(open_null)
}

fn open_null() -> File {
    OpenOptions::new().write(true).open("/dev/null").expect("/dev/null takes what it is given")
}

thread_local! {
    static OUTPUT: RefCell<(String, File)> = RefCell::new((
        String::with_capacity(512),
        open_null(),
    ));
}
