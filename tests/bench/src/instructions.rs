//! How many instructions a call of an annotated function takes while tracing is off, counted by callgrind.

use std::net::SocketAddr;
use std::process::{Command, ExitCode};

use crate::peer::Peer;
use crate::peers;

/// Instructions of a call over those of the bare call, of this thread alone. `None` without valgrind.
pub(crate) fn over_bare(peer: &Peer, agent: SocketAddr) -> Option<f64> {
    peer.start_off?;
    peer.calls?;
    let bare = per_call(peers::BARE, agent)?;
    Some(per_call(peer.name, agent)? - bare)
}

/// Door `calls`: starts the subject switched off and calls its annotated function.
pub(crate) fn calls(subject: &str, agent: &str, count: &str) -> ExitCode {
    let (Some(peer), Ok(agent), Ok(count)) = (peers::find(subject), agent.parse(), count.parse()) else {
        return ExitCode::FAILURE;
    };
    let (Some(start), Some(calls)) = (peer.start_off, peer.calls) else { return ExitCode::FAILURE };
    start(agent);
    // What happens at the first call only is not counted.
    calls(100);
    counted_calls(calls, count);
    ExitCode::SUCCESS
}

fn per_call(subject: &str, agent: SocketAddr) -> Option<f64> {
    const CALLS: u32 = 100_000;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*counted_calls*"])
        .arg(std::env::current_exe().ok()?)
        .args(["calls", subject, &agent.to_string(), &CALLS.to_string()])
        .output()
        .ok()?;
    // In its summary: `==1== Collected : 123456`.
    let report = String::from_utf8_lossy(&output.stderr);
    let collected = report.lines().find_map(|line| line.split_once("Collected :"))?.1.trim();
    Some(collected.parse::<f64>().ok()? / f64::from(CALLS))
}

/// Callgrind counts from the entry into this function to its end, and knows it by its name.
#[inline(never)]
fn counted_calls(calls: fn(u32), count: u32) {
    std::hint::black_box(calls)(count);
}
