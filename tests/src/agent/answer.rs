//! What the fake agent answers, and how badly.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use crate::date::http_date;

/// An answer of the fake agent.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) delay: Duration,
    /// Seconds from the moment of the answer to its date.
    date: Option<i64>,
    pub(super) manner: Manner,
}

/// How an answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Whole, and the connection is kept.
    Whole,
    /// Whole, and then the connection is closed, which the answer does not announce.
    ThenClose,
    /// The first half of its bytes, and then the connection is closed.
    Half,
    /// The request is not even read and the connection is reset.
    Reset,
    /// The request is read, and nothing ever answered.
    Never,
}

impl Answer {
    /// Accepted, with a body and no rates.
    pub fn ok() -> Self {
        Self::status(200).with_body("{}")
    }

    /// This status, with no body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            delay: Duration::ZERO,
            date: None,
            manner: Manner::Whole,
        }
    }

    /// Accepted, with a rate for each of the keys, which look like `service:shop,env:prod`.
    pub fn rates(rates: &[(&str, f64)]) -> Self {
        let mut body = String::new();
        for (key, rate) in rates {
            let separator = if body.is_empty() { "" } else { "," };
            // Writing to a String does not fail.
            let _ = write!(body, r#"{separator}"{key}":{rate}"#);
        }
        Self::ok().with_body(format!(r#"{{"rate_by_service":{{{body}}}}}"#))
    }

    /// The request is read and never answered.
    pub fn never() -> Self {
        Self { manner: Manner::Never, ..Self::ok() }
    }

    /// The connection is reset before the request's body is read.
    pub fn reset() -> Self {
        Self { manner: Manner::Reset, ..Self::ok() }
    }

    /// Half of the answer is sent, and the connection closed.
    pub fn half(self) -> Self {
        Self { manner: Manner::Half, ..self }
    }

    /// After the answer the connection is closed without notice, as the agent does with idle ones.
    pub fn then_close(self) -> Self {
        Self { manner: Manner::ThenClose, ..self }
    }

    /// With this body.
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// With one more header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the date of a clock that is so many seconds ahead.
    pub fn dated(self, seconds_ahead: i64) -> Self {
        Self { date: Some(seconds_ahead), ..self }
    }

    /// That much later.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The status that the client gets to see.
    pub(super) fn seen_status(&self) -> Option<u16> {
        matches!(self.manner, Manner::Whole | Manner::ThenClose).then_some(self.status)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Answer\r\nContent-Length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            // Writing to a String does not fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if let Some(ahead) = self.date {
            let now = SystemTime::now();
            let off = Duration::from_secs(ahead.unsigned_abs());
            let date = http_date(if ahead < 0 { now - off } else { now + off });
            let _ = write!(head, "Date: {date}\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        if self.manner == Manner::Half {
            bytes.truncate(bytes.len() / 2);
        }
        bytes
    }
}
