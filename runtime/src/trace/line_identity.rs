//! What log lines say of a tracer, whichever span is active.

use std::ops::Deref;
use std::sync::Arc;

use once_cell::race::OnceBox;

use super::process::{Home, latest_lines};
use crate::config::Settings;

/// Service, env and version of a tracer, and how its trace ids are shown.
#[derive(Debug)]
pub(crate) struct LineIdentity {
    pub(crate) settings: Arc<Settings>,
    /// Filled by the room `log` at the first line.
    /// Nobody waits for it: threads that come together each write one, and the first is kept.
    pub(crate) written: OnceBox<WrittenIdentity>,
}

/// What is set of service, env and version, escaped, in each form that lines have.
#[derive(Debug)]
pub(crate) struct WrittenIdentity {
    /// `dd.service=… dd.env=… dd.version=… `.
    pub(crate) text: Box<str>,
    /// `"dd.service":"…","dd.env":"…","dd.version":"…",`.
    #[cfg(feature = "tracing")]
    pub(crate) members: Box<str>,
    pub(crate) fields: Box<[(&'static str, Box<str>)]>,
}

impl LineIdentity {
    pub(super) fn new(settings: Arc<Settings>) -> Arc<Self> {
        Arc::new(Self { settings, written: OnceBox::new() })
    }
}

/// Whose service, env and version a line says.
#[derive(Debug, Clone)]
pub(crate) enum LineOwner {
    /// The tracer that runs on this thread.
    Running(Arc<Home>),
    /// The latest one of the process: it is switched off, or has ended.
    Latest(Arc<LineIdentity>),
}

impl LineOwner {
    /// The tracer that runs, else the latest of the process; `None` before the first.
    #[inline]
    pub(crate) fn of(running: Option<Arc<Home>>) -> Option<Self> {
        running.map(Self::Running).or_else(|| latest_lines().map(Self::Latest))
    }
}

impl Deref for LineOwner {
    type Target = LineIdentity;

    #[inline]
    fn deref(&self) -> &LineIdentity {
        match self {
            Self::Running(home) => &home.lines,
            Self::Latest(lines) => lines,
        }
    }
}
