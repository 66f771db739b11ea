//! Loggers of every kind at once, each in its wrapper, and the lines they wrote.

mod sinks;

use std::fmt::Display;
use std::io::Write;
use std::sync::{LazyLock, PoisonError};
use std::thread;
use std::time::Instant;

use dd_traced::{CorrelatedDrain, CorrelatedFormat, CorrelatedLogger, SpanLayer, dd_log};
use log::{LevelFilter, Record};
use slog::Drain;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;

use self::sinks::{All, Json, JsonDrain, KEPT, Lines, Text, TextDrain};
use crate::patience::PATIENCE;

/// The loggers of this process: those of `log` behind `dd_log!`, those of `tracing`, which make its spans spans of ours too, and those
/// of `slog`. Every line of any of them is kept.
#[derive(Debug, Clone, Copy)]
pub struct Loggers(());

/// A line that a logger wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// One of [`Loggers::NAMES`].
    pub logger: &'static str,
    /// What it wrote, without the line feed.
    pub text: String,
}

impl Loggers {
    /// The logger without a wrapper, whose lines get their ids by `dd_log!`, and the others. The second word is the form.
    pub const NAMES: [&'static str; 9] = [
        "unwrapped text",
        "log text",
        "log json",
        "env_logger text",
        "tracing text",
        "tracing json",
        "tracing flat json",
        "slog text",
        "slog json",
    ];

    /// Installs them, the first time.
    pub fn install() -> Self {
        static INSTALLED: LazyLock<()> = LazyLock::new(|| {
            let format = |out: &mut env_logger::fmt::Formatter, record: &Record<'_>| {
                writeln!(out, "{} {}", record.level(), record.args())
            };
            let env_logger = env_logger::Builder::new()
                .format(format)
                .filter_level(LevelFilter::Info)
                .target(env_logger::Target::Pipe(Box::new(Lines::of("env_logger text"))))
                .build();
            let all = All([
                Box::new(Text("unwrapped text")),
                Box::new(CorrelatedLogger::text(Text("log text"))),
                Box::new(CorrelatedLogger::structured(Json)),
                Box::new(CorrelatedLogger::text(env_logger)),
            ]);
            log::set_boxed_logger(Box::new(all)).expect("no other logger");
            log::set_max_level(LevelFilter::Info);
            let info = || tracing_subscriber::filter::LevelFilter::INFO;
            let text = tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .map_event_format(CorrelatedFormat::text)
                .with_writer(|| Lines::of("tracing text"));
            let json = tracing_subscriber::fmt::layer()
                .json()
                .map_event_format(CorrelatedFormat::json)
                .with_writer(|| Lines::of("tracing json"));
            let flat = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .map_event_format(CorrelatedFormat::json)
                .with_writer(|| Lines::of("tracing flat json"));
            let subscriber = tracing_subscriber::registry()
                .with(SpanLayer::new().with_filter(info()))
                .with(text.with_filter(info()))
                .with(json.with_filter(info()))
                .with(flat.with_filter(info()));
            tracing::subscriber::set_global_default(subscriber).expect("no other subscriber");
        });
        LazyLock::force(&INSTALLED);
        Self(())
    }

    /// Writes a message through all of them.
    pub fn say(self, message: impl Display) {
        static DRAINS: LazyLock<[slog::Logger; 3]> = LazyLock::new(|| {
            // Behind a queue another thread writes the line.
            let queue = slog_async::Async::new(JsonDrain.fuse()).build();
            [
                slog::Logger::root(CorrelatedDrain::text(TextDrain).fuse(), slog::o!()),
                slog::Logger::root(CorrelatedDrain::structured(JsonDrain).fuse(), slog::o!("of" => "root")),
                slog::Logger::root(CorrelatedDrain::structured(queue).fuse(), slog::o!()),
            ]
        });
        dd_log!("{message}");
        tracing::info!("{message}");
        for logger in &*DRAINS {
            slog::info!(logger, "{message}"; "n" => 1);
        }
    }

    /// The lines of a message, at least one of each logger.
    ///
    /// # Panics
    /// Where a logger does not write one in time.
    pub fn lines(self, message: &str) -> Vec<Line> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines: Vec<Line> = KEPT
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .filter(|line| line.text.contains(message))
                .cloned()
                .collect();
            let count = |name: &str| lines.iter().filter(|line| line.logger == name).count();
            // There are two with JSON by `slog`.
            if Self::NAMES.iter().all(|name| count(name) > usize::from(*name == "slog json")) {
                return lines;
            }
            assert!(Instant::now() < deadline, "not all loggers wrote {message:?}: {lines:#?}");
            thread::yield_now();
        }
    }
}

impl Line {
    /// The fields of correlation that it carries: of a text those in the brackets, of JSON those of the root, which must be strings.
    ///
    /// # Panics
    /// Where a field stands there twice, or is no string, or a line of JSON is none.
    pub fn fields(&self) -> Vec<(String, String)> {
        let fields: Vec<(String, String)> = if self.logger.ends_with("json") {
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"));
            let ours = object.iter().filter(|(key, _)| key.starts_with("dd."));
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            ours.map(|(key, value)| (key.clone(), text(value).unwrap_or_else(|| panic!("{key} of {self:?}"))))
                .collect()
        } else {
            let block = self.text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
            let fields = block.map(|(block, _)| block.split(' ')).into_iter().flatten();
            fields
                .filter_map(|field| field.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect()
        };
        assert_eq!(self.text.matches("dd.").count(), fields.len(), "each field once: {self:?}");
        fields
    }

    /// Trace id and span id, as they stand there; `None` without.
    pub fn ids(&self) -> Option<(String, String)> {
        let fields = self.fields();
        let field = |key| fields.iter().find(|(found, _)| found == key).map(|(_, value)| value.clone());
        Some((field("dd.trace_id")?, field("dd.span_id")?))
    }
}
