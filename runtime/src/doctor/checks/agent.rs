//! Whether an agent answers, and what it says of itself.

use std::time::Duration;

use serde_json::Value;

use super::super::connection::{Connection, within_reason, worded};
use super::super::finding::{Finding, Problem, Verdict};
use super::super::surroundings::Surroundings;
use crate::config::{SOCKET, Setting};
use crate::diagnostics::without_secrets;
use crate::export::client::{Content, Failure};
use crate::export::info;
use crate::export::settings::{AgentAddress, AgentSettings, parse_port};
use crate::model::AgentInfo;
use crate::worker::counts_here;

/// An agent that answered.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) connection: Connection,
    /// What it says of itself; nothing where it did not.
    pub(super) info: AgentInfo,
    /// Whether it may be one: it describes itself so, or is too old to.
    pub(super) is_agent: bool,
    /// Its answer to a trace, which has its rates; empty where it was not given one.
    pub(super) rates: Vec<u8>,
}

/// How long an agent at another address is waited for.
const MOMENT: Duration = Duration::from_millis(500);
/// What takes the spans.
const TRACES: &str = "/v0.4/traces";

pub(super) fn check(surroundings: &Surroundings) -> (Finding, Option<Reached>) {
    let settings = &surroundings.settings.agent;
    match ask(surroundings, settings) {
        Ok((finding, reached)) => (finding, Some(reached)),
        Err(failure) => (unreachable(surroundings, &failure), None),
    }
}

/// Asks the agent of these settings about itself.
fn ask(surroundings: &Surroundings, settings: &AgentSettings) -> Result<(Finding, Reached), Failure> {
    let mut connection = Connection::new(settings)?;
    let address = &settings.address;
    let finding = |verdict, words: String| Finding::new("agent", verdict, words);
    let (finding, info) = match connection.ask(Content::Question) {
        Ok(body) => info::read(&body).map_or_else(
            || {
                let words =
                    format!("what answers at {address} does not describe itself as a Datadog Agent does");
                (finding(Verdict::Problem(Problem::Refused), words).advice(OTHER), AgentInfo::default())
            },
            |info| (described(surroundings, settings, &info), info),
        ),
        Err(Failure::Refused { status: 404, .. }) => {
            let words =
                format!("what answers at {address} does not describe itself: an agent before 7.28, or none");
            (finding(Verdict::Warn, words), AgentInfo::default())
        }
        Err(failure @ Failure::Refused { .. }) => {
            let words = format!("no agent that describes itself: {}", worded(&failure, settings));
            (finding(Verdict::Problem(Problem::Refused), words).advice(OTHER), AgentInfo::default())
        }
        Err(failure) => return Err(failure),
    };
    let is_agent = !matches!(finding.verdict, Verdict::Problem(_));
    Ok((finding, Reached { connection, info, is_agent, rates: Vec::new() }))
}

/// What to do where what answers may be no agent.
pub(super) const OTHER: &str = "look whether another program than the agent listens there, which takes traces at port 8126, and what the agent's own log says";

fn described(surroundings: &Surroundings, settings: &AgentSettings, info: &AgentInfo) -> Finding {
    let address = &settings.address;
    let features = [
        ("client_drop_p0s", info.client_drop_p0s),
        ("span_events", info.span_events),
        ("big_resource", info.big_resource),
    ];
    let features: Vec<&str> = features.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name).collect();
    let (verdict, words) = if info.endpoints.is_empty() {
        (Verdict::Warn, format!("what answers at {address} does not say which endpoints it has"))
    } else if info.offers(TRACES) {
        (Verdict::Ok, format!("an agent answers at {address}"))
    } else {
        (Verdict::Warn, format!("the agent at {address} does not list {TRACES}, where spans are sent"))
    };
    let filters = [&info.filter_tags, &info.filter_tags_regex];
    let filters = filters.iter().map(|filters| filters.require.len() + filters.reject.len()).sum::<usize>();
    let metrics = surroundings.settings.metrics.address_beside(info.statsd_port);
    Finding::new("agent", verdict, words)
        .detail("address", address.to_string())
        .detail("version", known(&info.version))
        .detail("endpoints", list(&info.endpoints))
        .detail("features", features)
        .detail(
            "statistics_are_computed_here",
            counts_here(surroundings.settings.statistics.is_enabled, info),
        )
        .detail("peer_tags", list(&info.peer_tags))
        .detail("default_env", known(info.default_env.as_deref().unwrap_or_default()))
        .detail("max_request_bytes", info.max_request_bytes)
        .detail("statsd_port", info.statsd_port)
        .detail("dogstatsd_address", metrics.map_or(Value::Null, |address| address.to_string().into()))
        .detail("trace_filters", filters + info.ignore_resources.len())
}

fn known(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { without_secrets(text).into() }
}

fn list(texts: &[Box<str>]) -> Value {
    texts.iter().map(|text| Value::from(without_secrets(text))).collect()
}

fn unreachable(surroundings: &Surroundings, failure: &Failure) -> Finding {
    let settings = within_reason(&surroundings.settings.agent);
    let others = others(surroundings);
    let answering = others.iter().find(|address| answers(surroundings, &settings, address));
    let tried: Vec<String> = others.iter().map(ToString::to_string).collect();
    let problem =
        if is_of_another(&settings.address, failure) { Problem::Refused } else { Problem::Unreachable };
    let words = format!("no agent: {}", worded(failure, &settings));
    let finding = Finding::new("agent", Verdict::Problem(problem), words)
        .detail("address", settings.address.to_string())
        .detail("also_tried", tried);
    match answering {
        Some(address) => {
            finding.advice(format!("an agent answers at {address}: set DD_TRACE_AGENT_URL={address}"))
        }
        None => finding.advice(advice(&settings.address, failure)),
    }
}

/// What to do where nobody answers as an agent does.
fn advice(address: &AgentAddress, failure: &Failure) -> &'static str {
    let Failure::Unreachable(reason) = failure else {
        return "look whether the host is there and the agent not too busy, and whether a firewall drops what is sent to its port";
    };
    let mut known = KNOWN.into_iter();
    let is_socket = matches!(address, AgentAddress::Unix(_));
    match known.find(|(of_socket, part, _)| *of_socket == is_socket && reason.contains(part)) {
        Some((_, _, advice)) => advice,
        None if is_of_another(address, failure) => OTHER,
        None => ELSEWHERE,
    }
}

/// Whether somebody answers at the port, and not in HTTP: no failure of the system, which has a number, nor of the look-up of a name.
fn is_of_another(address: &AgentAddress, failure: &Failure) -> bool {
    let Failure::Unreachable(reason) = failure else { return false };
    !matches!(address, AgentAddress::Unix(_)) && !reason.contains("os error") && !reason.contains(LOOKUP)
}

/// What to do about a failure: whether at a socket, what the system calls it, the advice.
const KNOWN: [(bool, &str, &str); 4] = [
    (
        true,
        "No such file",
        "mount the directory of the agent's socket here, or have the agent make one (its DD_APM_RECEIVER_SOCKET)",
    ),
    (
        true,
        "Permission denied",
        "give the user of the program the right to write to the socket and to enter its directory",
    ),
    (
        true,
        "Connection refused",
        "start the agent: nobody listens at the socket, and the file may be that of an agent that has ended",
    ),
    (false, LOOKUP, "set DD_AGENT_HOST or DD_TRACE_AGENT_URL to a name that is known here, or to an address"),
];
/// Of the words for a name that is not known.
const LOOKUP: &str = "lookup";
const ELSEWHERE: &str = "start the agent, or name the host where it runs; inside of a container, localhost is the container, and an agent elsewhere needs its \
    DD_APM_NON_LOCAL_TRAFFIC=true";

/// Where an agent may be instead: at the usual socket, and at the host and port that are set.
fn others(surroundings: &Surroundings) -> Vec<AgentAddress> {
    let value = |name| surroundings.settings.table.get(name).map(Setting::value).unwrap_or_default();
    let socket = std::path::Path::new(SOCKET);
    let socket = socket.exists().then(|| AgentAddress::Unix(socket.to_owned()));
    let port = parse_port(value("DD_TRACE_AGENT_PORT"));
    let tcp = port.and_then(|port| AgentAddress::from_host(value("DD_AGENT_HOST"), port).ok());
    let own = &surroundings.settings.agent.address;
    [socket, tcp].into_iter().flatten().filter(|address| address != own).collect()
}

fn answers(surroundings: &Surroundings, settings: &AgentSettings, address: &AgentAddress) -> bool {
    let settings = AgentSettings { address: address.clone(), timeout: MOMENT, ..settings.clone() };
    ask(surroundings, &settings).is_ok_and(|(_, reached)| !reached.info.endpoints.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a test can not bring about everywhere: root may write to each socket, and some networks know each name.
    #[test]
    fn advice_follows_the_words_of_the_system() {
        let socket = AgentAddress::Unix("/var/run/datadog/apm.socket".into());
        let denied = Failure::Unreachable(std::io::Error::from_raw_os_error(13).to_string());
        assert!(advice(&socket, &denied).contains("the right to write"), "{denied:?}");
        let host = AgentAddress::from_host("nowhere.invalid", 8126).unwrap();
        let unknown = "failed to lookup address information: Name or service not known";
        assert!(
            advice(&host, &Failure::Unreachable(unknown.to_owned())).contains("a name that is known here")
        );
        assert_eq!(advice(&host, &Failure::Unreachable("invalid HTTP version parsed".to_owned())), OTHER);
        assert_eq!(advice(&host, &denied), ELSEWHERE);
    }
}
