//! Whether spans are recorded and sent at all.

use super::super::finding::{Finding, Verdict};
use super::super::surroundings::Surroundings;

pub(super) fn check(surroundings: &Surroundings) -> Finding {
    let finding = |verdict, words: String| Finding::new("recording", verdict, words);
    if !surroundings.settings.is_enabled {
        let said = surroundings.said("DD_TRACE_ENABLED");
        return finding(Verdict::Warn, format!("tracing is switched off: {said}"));
    }
    if surroundings.are_sending() {
        let address = &surroundings.settings.agent.address;
        return finding(Verdict::Ok, format!("spans are recorded and sent to {address}"));
    }
    let said = surroundings.said("DD_TRACE_LOCAL_VIEW");
    let words =
        format!("spans are shown in the terminal and not sent: {said}, and no address of an agent is set");
    finding(Verdict::Warn, words).advice("to have both, set DD_TRACE_AGENT_URL")
}
