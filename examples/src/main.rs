//! `cargo run -p dd-traced-examples --bin shop`: opens the town, sends a visitor through it, and shows what was traced.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use dd_traced::{Counters, DropReason, LocalView, StartError, Tracer, TracerGuard};
use dd_traced_examples::logger;
use dd_traced_examples::town::Town;

const USAGE: &str = "\
Usage: shop [--serve]

Without arguments the shop is visited once, and the program ends.
  --serve    serve until Ctrl-C

Traces are printed, unless DD_TRACE_AGENT_URL names an agent to send them to, or one of DD_AGENT_HOST,
DD_TRACE_AGENT_HOSTNAME and DD_TRACE_AGENT_PORT does.
";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let serves = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--serve"] => true,
        ["--help" | "-h"] => {
            say(USAGE);
            return ExitCode::SUCCESS;
        }
        _ => {
            let _ = write!(io::stderr(), "unknown arguments: {}\n\n{USAGE}", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    match run(serves).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "shop: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(serves: bool) -> Result<(), Box<dyn Error>> {
    let (tracer, destination) = start_tracer()?;
    logger::install();

    let town = Town::open().await?;
    let visits = if serves {
        say(&format!("The shop is open until Ctrl-C. Try: curl http://{}/items\n", town.shop_address()));
        tokio::signal::ctrl_c().await?;
        Vec::new()
    } else {
        town.visit().await?
    };
    town.close().await?;

    // The guard would do the same when dropped; here the end is waited for, since the books are read after it.
    tracer.shutdown(Duration::from_secs(5));
    let visits = visits.iter().map(|visit| format!("{:12}  {}\n", visit.request, visit.status));
    say(&format!("{}{}", visits.collect::<String>(), summary(destination, &dd_traced::counters())));
    Ok(())
}

/// Starts the tracer, and says where its traces go. In a service of one's own this is `dd_traced::init()`.
fn start_tracer() -> Result<(TracerGuard, Destination), StartError> {
    let tracer = Tracer::builder().service("shop");
    if is_set("DD_TRACE_AGENT_URL") {
        // The library is the one to say whether the address can be used.
        match tracer.clone().agent_url(setting("DD_TRACE_AGENT_URL")).start() {
            Ok(tracer) => return Ok((tracer, Destination::Agent)),
            Err(StartError::AgentUrl(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if ["DD_AGENT_HOST", "DD_TRACE_AGENT_HOSTNAME", "DD_TRACE_AGENT_PORT"].into_iter().any(is_set) {
        return Ok((tracer.start()?, Destination::Agent));
    }
    Ok((tracer.local_view(LocalView::Waterfall).start()?, Destination::Terminal))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    Agent,
    Terminal,
}

/// What became of the spans, and what to do next.
fn summary(destination: Destination, counters: &Counters) -> String {
    let (finished, arrived) = (counters.finished(), counters.acknowledged());
    if finished == 0 {
        return "No spans: nobody visited the shop, or DD_TRACE_ENABLED=false switches tracing off.\n"
            .to_owned();
    }
    let what = match destination {
        Destination::Agent => "acknowledged by the agent",
        Destination::Terminal => "printed above as one tree for each trace",
    };
    let reasons = DropReason::ALL.into_iter().filter(|reason| counters.dropped(*reason) > 0);
    // What nobody wanted is no loss.
    let unwanted = reasons.clone().filter(|reason| reason.is_intended());
    let unwanted: u64 = unwanted.map(|reason| counters.dropped(reason)).sum();
    let reasons: Vec<_> =
        reasons.map(|reason| format!("{} {}", counters.dropped(reason), reason.as_str())).collect();
    let dropped =
        if reasons.is_empty() { String::new() } else { format!(", dropped: {}", reasons.join(", ")) };
    let next = match destination {
        _ if arrived + unwanted < finished => "see the warnings above",
        Destination::Agent => {
            "look for the service `shop` in Datadog; DD_TRACE_LOCAL_VIEW=waterfall prints the traces here too"
        }
        Destination::Terminal => {
            "`cargo run -p dd-traced-examples --bin shop -- --serve` takes requests of yours,\n\
             and DD_TRACE_AGENT_URL=http://localhost:8126 sends the spans to an agent"
        }
    };
    format!("{finished} spans, {arrived} {what}{dropped}.\nNext: {next}.\n")
}

fn is_set(name: &str) -> bool {
    !setting(name).trim().is_empty()
}

#[expect(clippy::disallowed_methods, reason = "an application may read its environment")]
fn setting(name: &str) -> String {
    std::env::var_os(name).unwrap_or_default().to_string_lossy().into_owned()
}

/// A closed stdout is no reason to fail.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
