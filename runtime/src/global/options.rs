//! Further options of the builder, those that few programs set in code.

use super::TracerBuilder;
#[cfg(feature = "log")]
use crate::diagnostics::LogBridge;
use crate::diagnostics::{Level, MessageLogger, SharedLogger};
use std::sync::Arc;
use std::time::Duration;

impl TracerBuilder {
    /// Whether finished spans leave before their trace ends (`DD_TRACE_PARTIAL_FLUSH_ENABLED`). Defaults to true.
    pub fn partial_flush(mut self, is_enabled: bool) -> Self {
        self.overrides.set("DD_TRACE_PARTIAL_FLUSH_ENABLED", is_enabled);
        self
    }

    /// From how many finished spans on they do, 1 to 99 999 (`DD_TRACE_PARTIAL_FLUSH_MIN_SPANS`). Defaults to 300; another number is told of and
    /// counts as unset.
    pub fn partial_flush_min_spans(mut self, spans: usize) -> Self {
        self.overrides.set("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", spans);
        self
    }

    /// The styles of headers written and read, such as `["datadog", "tracecontext"]`; `["none"]` for none
    /// (`DD_TRACE_PROPAGATION_STYLE`).
    pub fn propagation_styles<S: AsRef<str>>(mut self, styles: impl IntoIterator<Item = S>) -> Self {
        self.overrides.set("DD_TRACE_PROPAGATION_STYLE", list(styles));
        self
    }

    /// The styles written (`DD_TRACE_PROPAGATION_STYLE_INJECT`). Defaults to those of both directions.
    pub fn inject_styles<S: AsRef<str>>(mut self, styles: impl IntoIterator<Item = S>) -> Self {
        self.overrides.set("DD_TRACE_PROPAGATION_STYLE_INJECT", list(styles));
        self
    }

    /// The styles read, in this order (`DD_TRACE_PROPAGATION_STYLE_EXTRACT`). Defaults to those of both directions.
    pub fn extract_styles<S: AsRef<str>>(mut self, styles: impl IntoIterator<Item = S>) -> Self {
        self.overrides.set("DD_TRACE_PROPAGATION_STYLE_EXTRACT", list(styles));
        self
    }

    /// Whether log lines carry the ids of the active span (`DD_LOGS_INJECTION`). Defaults to true.
    pub fn logs_injection(mut self, is_enabled: bool) -> Self {
        self.overrides.set("DD_LOGS_INJECTION", is_enabled);
        self
    }

    /// Whether one line at the start tells the configuration (`DD_TRACE_STARTUP_LOGS`). Defaults to true.
    pub fn startup_logs(mut self, is_enabled: bool) -> Self {
        self.overrides.set("DD_TRACE_STARTUP_LOGS", is_enabled);
        self
    }

    /// Takes the library's own messages, in place of stderr and of a file; of several the last one. A closure will do; see [`MessageLogger`] for when it is
    /// called.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), dd_traced::StartError> {
    /// let tracer = dd_traced::Tracer::builder()
    ///     .logger(|level: dd_traced::LogLevel, message: &str| eprintln!("tracer: {level} {message}"))
    ///     .start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn logger(mut self, logger: impl MessageLogger + 'static) -> Self {
        self.logger = Some(SharedLogger(Arc::new(logger)));
        self
    }

    /// Hands the library's own messages to the logger of the `log` crate, under the target `dd_traced`, in place of stderr and of a file. They carry no ids: they
    /// belong to no trace.
    #[cfg(feature = "log")]
    pub fn messages_to_log(self) -> Self {
        self.logger(LogBridge)
    }

    /// Up to which level the library's own messages are shown (`DD_TRACE_LOG_LEVEL`). Defaults to `Warn`; [`debug`](Self::debug) shows all.
    pub fn log_level(mut self, level: Level) -> Self {
        self.overrides.set("DD_TRACE_LOG_LEVEL", level);
        self
    }

    /// The file that the library's own messages go to, instead of stderr (`DD_TRACE_LOG_FILE`). None by default.
    pub fn log_file(mut self, path: impl Into<String>) -> Self {
        self.overrides.set("DD_TRACE_LOG_FILE", path.into());
        self
    }

    /// Whether spans that stay open for too long are listed, with the source lines that started them (`DD_TRACE_DEBUG_ABANDONED_SPANS`). Defaults to
    /// false, and then costs nothing.
    ///
    /// Looked for once a minute; each is listed once when it has passed the [timeout](Self::abandoned_span_timeout), as a warning whatever the
    /// level of messages, and all that are open are listed at the end. Every span takes a longer way then: up to 65 536 open ones are known with
    /// name and ids, further ones are counted.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), dd_traced::StartError> {
    /// # use std::time::Duration;
    /// let builder = dd_traced::Tracer::builder().debug_abandoned_spans(true);
    /// let tracer = builder.abandoned_span_timeout(Duration::from_secs(30)).start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn debug_abandoned_spans(mut self, is_enabled: bool) -> Self {
        self.overrides.set("DD_TRACE_DEBUG_ABANDONED_SPANS", is_enabled);
        self
    }

    /// For how long a span may be open before it counts as abandoned, above 0, at most 292 years (`DD_TRACE_ABANDONED_SPAN_TIMEOUT`). Defaults to
    /// 10 minutes; another time is told of and counts as unset.
    pub fn abandoned_span_timeout(mut self, timeout: Duration) -> Self {
        self.overrides.set("DD_TRACE_ABANDONED_SPAN_TIMEOUT", format!("{}s", timeout.as_secs_f64()));
        self
    }

    /// The time for one attempt to reach the agent, above 0, at most 60 s (`DD_TRACE_AGENT_TIMEOUT`). Defaults to 2 s; another time is told of and
    /// counts as unset.
    pub fn agent_timeout(mut self, timeout: Duration) -> Self {
        self.overrides.set("DD_TRACE_AGENT_TIMEOUT", timeout.as_secs_f64());
        self
    }

    /// The time between two payloads, above 0, at most an hour (`DD_TRACE_WRITER_INTERVAL_SECONDS`). Defaults to 1 s; another time is told of and
    /// counts as unset.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.overrides.set("DD_TRACE_WRITER_INTERVAL_SECONDS", interval.as_secs_f64());
        self
    }

    /// Whether metrics of the tracer itself are sent to DogStatsD (`DD_TRACE_HEALTH_METRICS_ENABLED`): every 10 s, and at the end. Defaults to false.
    pub fn health_metrics(mut self, is_enabled: bool) -> Self {
        self.overrides.set("DD_TRACE_HEALTH_METRICS_ENABLED", is_enabled);
        self
    }

    /// Where DogStatsD listens (`DD_DOGSTATSD_URL`): `host:port`, `udp://host:port` or `unix:///path` of a datagram socket. Defaults to
    /// `DD_DOGSTATSD_HOST` and `DD_DOGSTATSD_PORT`, to `/var/run/datadog/dsd.socket` where that exists, and to the agent's host at 8125, or at the port
    /// that the agent says of itself. An address that cannot be used is told of and counts as unset.
    pub fn dogstatsd_url(mut self, url: impl Into<String>) -> Self {
        self.overrides.set("DD_DOGSTATSD_URL", url.into());
        self
    }

    /// Where the source of the program is kept, and the commit it was built from (`DD_GIT_REPOSITORY_URL`, `DD_GIT_COMMIT_SHA`). User name and
    /// password of the address are not sent. None by default.
    pub fn git_metadata(mut self, repository_url: impl Into<String>, commit_sha: impl Into<String>) -> Self {
        self.overrides.set("DD_GIT_REPOSITORY_URL", repository_url.into());
        self.overrides.set("DD_GIT_COMMIT_SHA", commit_sha.into());
        self
    }
}

fn list<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items: Vec<S> = items.into_iter().collect();
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::super::Tracer;
    use super::*;
    use crate::LocalView;
    use crate::config::{Origin, Settings, Source};

    /// A name that no row has would say nothing.
    #[test]
    fn each_option_is_a_setting_in_force() {
        let builder = Tracer::builder()
            .service("shop")
            .env("prod")
            .version("7")
            .agent_url("http://h:1")
            .tag("k", "v")
            .enabled(false)
            .debug(true)
            .local_view(LocalView::Waterfall)
            .sampling_rules("[]")
            .sample_rate(0.5)
            .rate_limit(10.0)
            .span_sampling_rules("[]")
            .partial_flush(true)
            .partial_flush_min_spans(20)
            .propagation_styles(["datadog"])
            .inject_styles(["none"])
            .extract_styles(vec!["tracecontext".to_owned(), "datadog".to_owned()])
            .logs_injection(false)
            .startup_logs(false)
            .debug_abandoned_spans(true)
            .abandoned_span_timeout(Duration::from_millis(90_500))
            .agent_timeout(Duration::from_millis(1500))
            .flush_interval(Duration::from_millis(250))
            .health_metrics(true)
            .dogstatsd_url("udp://h:2")
            .git_metadata("https://git.example/r.git", "ab12");
        let (settings, notices) = Settings::resolve(&builder.overrides, &Source::default()).unwrap();
        assert!(notices.is_empty(), "{notices:?}");
        let of_code = settings.table.iter().filter(|setting| setting.origin() == Origin::Code);
        let shown: Vec<_> =
            of_code.map(|setting| format!("{}={}", setting.name(), setting.value())).collect();
        let mut shown: Vec<&str> =
            shown.iter().map(|said| said.strip_prefix("DD_").unwrap_or(said)).collect();
        shown.sort_unstable();
        let expected = [
            "DOGSTATSD_URL=udp://h:2",
            "ENV=prod",
            "GIT_COMMIT_SHA=ab12",
            "GIT_REPOSITORY_URL=https://git.example/r.git",
            "LOGS_INJECTION=false",
            "SERVICE=shop",
            "SPAN_SAMPLING_RULES=[]",
            "TAGS=k:v",
            "TRACE_ABANDONED_SPAN_TIMEOUT=90.5s",
            "TRACE_AGENT_TIMEOUT=1.5",
            "TRACE_AGENT_URL=http://h:1",
            "TRACE_DEBUG=true",
            "TRACE_DEBUG_ABANDONED_SPANS=true",
            "TRACE_ENABLED=false",
            "TRACE_HEALTH_METRICS_ENABLED=true",
            "TRACE_LOCAL_VIEW=waterfall",
            "TRACE_PARTIAL_FLUSH_ENABLED=true",
            "TRACE_PARTIAL_FLUSH_MIN_SPANS=20",
            "TRACE_PROPAGATION_STYLE=datadog",
            "TRACE_PROPAGATION_STYLE_EXTRACT=tracecontext,datadog",
            "TRACE_PROPAGATION_STYLE_INJECT=none",
            "TRACE_RATE_LIMIT=10",
            "TRACE_SAMPLE_RATE=0.5",
            "TRACE_SAMPLING_RULES=[]",
            "TRACE_STARTUP_LOGS=false",
            "TRACE_WRITER_INTERVAL_SECONDS=0.25",
            "VERSION=7",
        ];
        assert_eq!(shown, expected);
        assert_eq!(settings.writer.abandoned_after, Some(Duration::from_millis(90_500)));
        assert_eq!(
            (settings.writer.interval, settings.agent.timeout),
            (Duration::from_millis(250), Duration::from_millis(1500))
        );
    }

    #[test]
    fn what_is_out_of_range_counts_as_unset_and_is_told() {
        let builder = Tracer::builder().partial_flush_min_spans(0).agent_timeout(Duration::MAX);
        let (settings, notices) = Settings::resolve(&builder.overrides, &Source::default()).unwrap();
        assert_eq!(settings.agent.timeout, Duration::from_secs(2));
        let texts: Vec<_> = notices.iter().map(|notice| notice.text.as_str()).collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts.iter().all(|text| text.contains(" given in code: ")), "{texts:?}");
    }
}
