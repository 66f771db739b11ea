//! What the worker needs to know.

use std::time::Duration;

/// How much the worker holds and when it sends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WriterSettings {
    /// Longest time between two looks at what is waiting, while no payload is on its way. Defaults to 1 s; with a local view
    /// at most 0.1 s.
    pub(crate) interval: Duration,
    /// Bytes of finished spans waiting, beyond which new chunks are dropped and counted. Defaults to 16 MiB.
    pub(crate) buffer_bytes: usize,
    /// Bytes of the largest payload sent. Defaults to 8 MiB.
    pub(crate) max_payload_bytes: usize,
    /// Bytes from which a payload is sent without waiting for the interval. Defaults to 2 MiB, and is never above
    /// `max_payload_bytes` or `buffer_bytes`.
    pub(crate) flush_from_bytes: usize,
    /// What is printed about finished traces. Defaults to nothing.
    pub(crate) local_view: LocalView,
    /// Whether the local view has colours where stderr is a terminal: not with `NO_COLOR` set to anything but the empty
    /// text, nor with `TERM=dumb`. Defaults to true.
    pub(crate) has_colours: bool,
    /// Between two warnings about losses of a kind; 0 tells of each. Defaults to 60 s.
    pub(crate) report_period: Duration,
    /// The age above which open spans are listed as abandoned. Defaults to none: nobody looks.
    pub(crate) abandoned_after: Option<Duration>,
}

impl Default for WriterSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            buffer_bytes: 16 << 20,
            max_payload_bytes: 8 << 20,
            flush_from_bytes: 2 << 20,
            local_view: LocalView::Off,
            has_colours: true,
            report_period: Duration::from_secs(60),
            abandoned_after: None,
        }
    }
}

/// How finished traces are shown in this process, for looking at them without an agent.
///
/// The setting `DD_TRACE_LOCAL_VIEW` names the same values: `off`, `waterfall`. With a view and no agent address set,
/// nothing is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocalView {
    /// Nothing is shown; the default.
    #[default]
    Off,
    /// Each finished trace is printed on stderr as a tree with bars, those not kept marked.
    Waterfall,
}

impl LocalView {
    /// The name in settings.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Waterfall => "waterfall",
        }
    }
}
