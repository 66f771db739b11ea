//! The builder: what code says, and the start.

use std::fmt;
use std::sync::Arc;

use super::{Running, TracerGuard, running, sink};
use crate::config::{Overrides, Settings};
use crate::diagnostics::{self, SharedLogger};
use crate::support;
use crate::trace;
use crate::worker::settings::LocalView;

/// Options of a tracer.
#[must_use = "a tracer begins with `start`"]
#[derive(Debug, Clone)]
pub struct TracerBuilder {
    pub(super) overrides: Overrides,
    pub(super) logger: Option<SharedLogger>,
}

impl TracerBuilder {
    pub(super) fn new() -> Self {
        Self { overrides: Overrides::default(), logger: None }
    }

    /// The service of spans that name no other (`DD_SERVICE`). Defaults to the file name of the program.
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.overrides.set("DD_SERVICE", service.into());
        self
    }

    /// The environment, such as `prod` (`DD_ENV`). None by default.
    pub fn env(mut self, env: impl Into<String>) -> Self {
        self.overrides.set("DD_ENV", env.into());
        self
    }

    /// The version of the service (`DD_VERSION`). None by default.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.overrides.set("DD_VERSION", version.into());
        self
    }

    /// Where the agent listens (`DD_TRACE_AGENT_URL`): `http://host:port` or `unix:///path`. Defaults to `DD_AGENT_HOST` and
    /// `DD_TRACE_AGENT_PORT`, to `/var/run/datadog/apm.socket` where that exists, and to `http://localhost:8126`.
    pub fn agent_url(mut self, url: impl Into<String>) -> Self {
        self.overrides.set("DD_TRACE_AGENT_URL", url.into());
        self
    }

    /// A tag of every span, beside those of `DD_TAGS`.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.tag(key.into(), value.into());
        self
    }

    /// Whether anything is recorded and sent (`DD_TRACE_ENABLED`). Defaults to true.
    pub fn enabled(mut self, is_enabled: bool) -> Self {
        self.overrides.set("DD_TRACE_ENABLED", is_enabled);
        self
    }

    /// Whether the library tells on stderr what it does (`DD_TRACE_DEBUG`). Defaults to false.
    pub fn debug(mut self, is_debug: bool) -> Self {
        self.overrides.set("DD_TRACE_DEBUG", is_debug);
        self
    }

    /// Whether finished traces are shown in this terminal (`DD_TRACE_LOCAL_VIEW`). Off by default. With it, and with no agent address set,
    /// nothing is sent and nobody is warned; with one set, both.
    pub fn local_view(mut self, view: LocalView) -> Self {
        self.overrides.set("DD_TRACE_LOCAL_VIEW", view.name());
        self
    }

    /// Rules that decide which traces are kept, as JSON (`DD_TRACE_SAMPLING_RULES`): the first that matches the first span of the trace here
    /// decides. None by default. A rule that cannot be used is left out with a warning.
    ///
    /// `service`, `name`, `resource` and the values of `tags` are patterns of whole texts, whatever their case: `*` stands for any characters,
    /// `?` for one. `sample_rate` is 0 to 1.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), dd_traced::StartError> {
    /// let tracer = dd_traced::Tracer::builder()
    ///     .sampling_rules(r#"[{"resource": "GET /health", "sample_rate": 0}, {"tags": {"plan": "gold*"}, "sample_rate": 1}]"#)
    ///     .start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sampling_rules(mut self, json: impl Into<String>) -> Self {
        self.overrides.set("DD_TRACE_SAMPLING_RULES", json.into());
        self
    }

    /// Which part of the traces that no rule matches is kept, 0.0 to 1.0 (`DD_TRACE_SAMPLE_RATE`). By default the agent's rates decide, which is
    /// not the same as 1.
    pub fn sample_rate(mut self, rate: f64) -> Self {
        self.overrides.set("DD_TRACE_SAMPLE_RATE", rate);
        self
    }

    /// How many traces a second rules and the rate above may keep, 0 or more (`DD_TRACE_RATE_LIMIT`). Defaults to 100.
    pub fn rate_limit(mut self, traces_per_second: f64) -> Self {
        self.overrides.set("DD_TRACE_RATE_LIMIT", traces_per_second);
        self
    }

    /// Rules that keep single spans of traces that are not kept, as JSON (`DD_SPAN_SAMPLING_RULES`). None by default. Beside the fields of
    /// [`sampling_rules`](Self::sampling_rules), `max_per_second` limits the spans that a rule keeps; `sample_rate` defaults to 1.
    pub fn span_sampling_rules(mut self, json: impl Into<String>) -> Self {
        self.overrides.set("DD_SPAN_SAMPLING_RULES", json.into());
        self
    }

    /// Starts the tracer of the process.
    ///
    /// # Errors
    ///
    /// [`StartError::AlreadyStarted`] where one runs; it is not changed. That of a forked child's parent does not run in the child. [`StartError::AgentUrl`] where the address given in code cannot be
    /// used. A bad environment variable is no error: one warning names it, and it counts as unset.
    pub fn start(self) -> Result<TracerGuard, StartError> {
        let mut running = running();
        if running.as_ref().is_some_and(|running| !running.core.queue.is_inherited()) {
            return Err(StartError::AlreadyStarted);
        }
        let (settings, notices) =
            Settings::of_process(&self.overrides).map_err(|error| StartError::AgentUrl(error.to_string()))?;
        let sink = sink(&settings, self.logger);
        for notice in notices {
            diagnostics::log(notice.level, format_args!("{}", notice.text));
        }
        support::log_settings(&settings.table);
        let started = Arc::new(Running::new(settings, sink));

        trace::install(Arc::clone(&started.core));
        trace::set_correlates_logs(started.core.settings.correlates_logs);
        *running = Some(Arc::clone(&started));
        drop(running);
        Ok(TracerGuard { running: Some(started) })
    }
}

/// Why a tracer was not started.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// A tracer runs in this process, and goes on unchanged.
    AlreadyStarted,
    /// The address of the agent, given in code, cannot be used: why.
    AgentUrl(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::AlreadyStarted => f.write_str("a tracer is running already"),
            StartError::AgentUrl(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for StartError {}
