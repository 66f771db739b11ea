//! The way to an agent: one attempt for each question, by the client of the library.

use std::time::{Duration, SystemTime};

use tokio::runtime::Runtime;

use crate::diagnostics::without_secrets;
use crate::export::client::{self, AgentClient, Content, Failure};
use crate::export::settings::AgentSettings;

/// The longest wait for one answer, where the settings allow more.
const MAX_WAIT: Duration = Duration::from_secs(3);

/// Characters of the text of a refusal.
const MAX_TEXT: usize = 200;

/// A connection to one agent.
#[derive(Debug)]
pub(super) struct Connection {
    /// With the wait that is kept here.
    pub(super) settings: AgentSettings,
    /// Of the latest question that was answered, with success or not.
    pub(super) told: Option<Told>,
    open: Option<(Runtime, AgentClient)>,
}

/// What the agent's clock said, and the one here around it.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) date: Option<String>,
    pub(super) asked: SystemTime,
    pub(super) arrived: SystemTime,
}

impl Connection {
    /// To the agent of these settings; nobody is asked yet.
    ///
    /// # Errors
    ///
    /// Where there can be no client, in words.
    pub(super) fn new(settings: &AgentSettings) -> Result<Self, Failure> {
        let settings = within_reason(settings);
        let runtime = client::runtime().map_err(|error| Failure::Unreachable(error.to_string()))?;
        let client = AgentClient::new(&settings).map_err(Failure::Unreachable)?;
        Ok(Self { settings, told: None, open: Some((runtime, client)) })
    }

    /// Sends this and waits for the answer; gives its body.
    ///
    /// # Errors
    ///
    /// Why there is none, or that it is no success.
    pub(super) fn ask(&mut self, content: Content) -> Result<Vec<u8>, Failure> {
        let Some((runtime, client)) = &mut self.open else { return Err(Failure::TimedOut) };
        let parcel = client.parcel(content);
        let asked = SystemTime::now();
        let answer = runtime.block_on(client.attempt(&parcel, self.settings.timeout));
        let arrived = SystemTime::now();
        if matches!(answer, Ok(_) | Err(Failure::Refused { .. })) {
            self.told = Some(Told { date: client.date().map(str::to_owned), asked, arrived });
        }
        answer
    }
}

/// Why a question has no answer, or another one than was hoped for, in words.
pub(super) fn worded(failure: &Failure, settings: &AgentSettings) -> String {
    let AgentSettings { address, timeout, .. } = settings;
    match failure {
        Failure::Unreachable(reason) => format!("{address} cannot be reached: {reason}"),
        Failure::TimedOut => format!("{address} did not answer within {timeout:?}"),
        Failure::Refused { status: status @ 300..400, .. } => {
            format!("{address} answers with a redirect (status {status}), which is not followed")
        }
        Failure::Refused { status, text, .. } if text.trim().is_empty() => {
            format!("{address} answers with status {status}")
        }
        Failure::Refused { status, text, .. } => {
            let text: String = without_secrets(text.trim()).chars().take(MAX_TEXT).collect();
            format!("{address} answers with status {status}: {text}")
        }
    }
}

/// The settings with the wait that is kept here.
pub(super) fn within_reason(settings: &AgentSettings) -> AgentSettings {
    AgentSettings { timeout: settings.timeout.min(MAX_WAIT), ..settings.clone() }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some((runtime, client)) = self.open.take() {
            drop(client);
            // A plain drop would wait for the look-up of a name.
            runtime.shutdown_background();
        }
    }
}
