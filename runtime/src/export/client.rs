//! The agent client: one attempt to hand a payload over, and what came of it.
//!
//! It knows no retries, no back-off and no counters; those belong to the worker, on whose thread it is made, used and
//! dropped. Invariant: an attempt ends by its deadline, whatever the agent does, and reads a bounded answer.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Response, Url, redirect, retry};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout_at};

use super::container::Container;
use super::headers::{self, AGENT_STATE, RATES_VERSION};
use super::parcel::TRACES_PATH;
pub(crate) use super::parcel::{Content, Dropped, Parcel};
use super::resolve::Resolver;
use super::settings::{AgentAddress, AgentSettings};

/// A connection to one agent.
#[derive(Debug)]
pub(crate) struct AgentClient {
    http: Client,
    /// Where payloads go, without user name and password, which are a header.
    url: Url,
    /// Constant headers of all requests.
    headers: HeaderMap,
    rates_version: HeaderValue,
    agent_state: Option<Box<[u8]>>,
    /// What the agent's clock said at its latest answer.
    #[cfg(feature = "doctor")]
    date: Option<Box<str>>,
    /// Whether the next request may go out on a connection that the agent may have closed since.
    may_reuse: bool,
}

/// Why the agent did not take a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The agent answered with another status than 2xx.
    Refused { status: u16, retry_after: Option<Duration>, text: String },
    /// There was no answer; why, in words.
    Unreachable(String),
    /// There was no answer in time.
    TimedOut,
}

/// The hexadecimal digits of the hash that the agent sends.
const STATE_LEN: usize = 64;
/// How much of an error's text is kept for messages.
const MAX_TEXT: usize = 1_000;
/// The agent closes idle connections after 5 s (`apm_config.receiver_timeout`).
const IDLE: Duration = Duration::from_secs(4);

/// The runtime a client needs, to be driven by the worker's thread alone.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        // LOAD-BEARING: an agent that never stops sending keeps the connection's task busy; deadlines are looked at only
        // between its turns.
        .event_interval(1)
        .build()
}

impl AgentClient {
    /// A client for the agent of these settings. Reads which container the process is in; opens no connection.
    ///
    /// # Errors
    ///
    /// Says in words why there can be no client.
    pub(crate) fn new(settings: &AgentSettings) -> Result<Self, String> {
        Self::with_resolver(settings, Resolver::system())
    }

    fn with_resolver(settings: &AgentSettings, resolver: Resolver) -> Result<Self, String> {
        let builder = ClientBuilder::new()
            // Else the client obeys `HTTP_PROXY`, and spans leave the host.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(IDLE)
            .dns_resolver(resolver);
        let (builder, url) = match &settings.address {
            AgentAddress::Http(base) | AgentAddress::Https(base) => (builder, base.join(TRACES_PATH)),
            #[cfg(unix)]
            AgentAddress::Unix(path) => {
                (builder.unix_socket(path.as_path()), format!("http://localhost{TRACES_PATH}"))
            }
            #[cfg(not(unix))]
            AgentAddress::Unix(_) => return Err("this system has no Unix sockets".to_owned()),
        };
        let http = builder.build().map_err(|error| reason(&error))?;
        let headers = headers::constant(&Container::detect(), settings.external_env.as_deref());
        // User name and password of the address become an `Authorization` header here.
        let request = http.post(url).headers(headers).build().map_err(|error| reason(&error))?;
        let (url, headers) = (request.url().clone(), request.headers().clone());
        Ok(Self {
            http,
            url,
            headers,
            rates_version: HeaderValue::from_static("0"),
            agent_state: None,
            #[cfg(feature = "doctor")]
            date: None,
            may_reuse: false,
        })
    }

    /// A hash of what the agent says of itself, as of its latest answer; `None` for one that does not tell.
    pub(crate) fn agent_state(&self) -> Option<&[u8]> {
        self.agent_state.as_deref()
    }

    /// The header `Date` of the agent's latest answer, as it came; `None` where that had none.
    #[cfg(feature = "doctor")]
    pub(crate) fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// Wraps what is to be sent.
    pub(crate) fn parcel(&self, content: Content) -> Parcel {
        Parcel::new(content, &self.url, &self.headers)
    }

    /// Sends the parcel and waits for the answer, both within `limit`. Gives the body of the answer as far as it could be
    /// read.
    ///
    /// # Errors
    ///
    /// Why the agent does not have the payload, as far as can be known.
    pub(crate) async fn attempt(&mut self, parcel: &Parcel, limit: Duration) -> Result<Vec<u8>, Failure> {
        let deadline = Instant::now() + limit;
        let mut response = match timeout_at(deadline, self.send(parcel)).await {
            Ok(sent) => sent?,
            Err(_) => return Err(Failure::TimedOut),
        };
        let status = response.status();
        if let Some(state) = response.headers().get(AGENT_STATE) {
            let state = state.as_bytes();
            self.agent_state = Some(state.get(..STATE_LEN).unwrap_or(state).into());
        }
        #[cfg(feature = "doctor")]
        {
            let date = response.headers().get(reqwest::header::DATE);
            self.date = date.and_then(|date| date.to_str().ok()).map(Into::into);
        }
        let mut body = Vec::new();
        // The status line is the answer; a body that is late, broken or too long only loses what it would have said.
        let is_whole = timeout_at(deadline, read(&mut response, &mut body, parcel.max_answer)).await;
        let is_whole = is_whole.unwrap_or(false);
        self.may_reuse = is_whole;
        // Lets the connection go back to the pool before the next payload asks for one.
        tokio::task::yield_now().await;
        if status.is_success() {
            if let Some(version) =
                response.headers().get(RATES_VERSION).filter(|_| parcel.has_rates && is_whole)
            {
                self.rates_version = version.clone();
            }
            return Ok(if is_whole { body } else { Vec::new() });
        }
        body.truncate(MAX_TEXT);
        let retry_after = response.headers().get(RETRY_AFTER).and_then(seconds);
        let text = String::from_utf8_lossy(&body).into_owned();
        Err(Failure::Refused { status: status.as_u16(), retry_after, text })
    }

    /// Sends the parcel; a connection found closed is replaced once, which is no failure of the agent.
    async fn send(&mut self, parcel: &Parcel) -> Result<Response, Failure> {
        let mut was_reused = std::mem::take(&mut self.may_reuse);
        loop {
            let Some(mut copy) = parcel.request.try_clone() else {
                return Err(Failure::Unreachable("the body cannot be sent again".to_owned()));
            };
            if parcel.has_rates {
                copy.headers_mut().insert(RATES_VERSION, self.rates_version.clone());
            }
            match self.http.execute(copy).await {
                Ok(response) => return Ok(response),
                Err(error) if was_reused && !error.is_connect() => was_reused = false,
                Err(error) => return Err(Failure::Unreachable(reason(&error))),
            }
        }
    }
}

/// Reads the body up to its limit; whether that was all of it.
async fn read(response: &mut Response, body: &mut Vec<u8>, max: usize) -> bool {
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= max => body.extend_from_slice(&chunk),
            Ok(None) => return true,
            Ok(Some(_)) | Err(_) => return false,
        }
    }
}

/// A number of seconds; a date is not worth the parser.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The cause at the bottom of an error, such as `Connection refused (os error 111)`. Never names the address, which may
/// hold a password.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    match cause {
        Some(cause) => cause.to_string(),
        None if error.is_builder() => "the address is not usable".to_owned(),
        None => "the request failed".to_owned(),
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
