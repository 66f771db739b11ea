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

Traces are printed, unless DD_TRACE_AGENT_URL or DD_AGENT_HOST names an agent to send them to.
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
    let destination = Destination::from_environment();
    let tracer = destination.start_tracer()?;
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
    say(&format!("{}{}", visits.collect::<String>(), destination.summary(&dd_traced::counters())));
    Ok(())
}

/// Where the traces go, by the environment: to an agent, or without one to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    Agent,
    /// Chosen here, for whoever chose nothing.
    Terminal,
    /// Chosen by `DD_TRACE_LOCAL_VIEW`.
    View,
}

impl Destination {
    fn from_environment() -> Self {
        let names_agent = ["DD_TRACE_AGENT_URL", "DD_AGENT_HOST", "DD_TRACE_AGENT_PORT"]
            .into_iter()
            .any(|name| !setting(name).is_empty());
        match setting("DD_TRACE_LOCAL_VIEW").as_str() {
            "" if !names_agent => Self::Terminal,
            "waterfall" if !names_agent => Self::View,
            _ => Self::Agent,
        }
    }

    /// In a service of one's own this is `dd_traced::init()`, and the environment decides.
    fn start_tracer(self) -> Result<TracerGuard, StartError> {
        let tracer = Tracer::builder().service("shop");
        if self == Self::Terminal { tracer.local_view(LocalView::Waterfall).start() } else { tracer.start() }
    }

    fn summary(self, counters: &Counters) -> String {
        let finished = counters.finished();
        if self != Self::Agent {
            return format!(
                "{finished} spans, printed above as one tree for each trace.\n\
                 Next: `cargo run -p dd-traced-examples --bin shop -- --serve` takes requests of yours,\n\
                 and DD_TRACE_AGENT_URL=http://localhost:8126 sends the spans to an agent.\n"
            );
        }
        let reasons = DropReason::ALL.into_iter().filter(|reason| counters.dropped(*reason) > 0);
        let reasons: Vec<_> =
            reasons.map(|reason| format!("{} {}", counters.dropped(reason), reason.as_str())).collect();
        let dropped = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        let next = match counters.acknowledged() {
            0 => "start an agent at that address, or give none to see the traces here",
            _ => {
                "look for the service `shop` in Datadog; DD_TRACE_LOCAL_VIEW=waterfall prints the traces here too"
            }
        };
        format!(
            "{finished} spans: {} acknowledged by the agent, {} dropped{dropped}.\nNext: {next}.\n",
            counters.acknowledged(),
            counters.dropped_total(),
        )
    }
}

#[expect(clippy::disallowed_methods, reason = "an application may read its environment")]
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// A closed stdout is no reason to fail.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
