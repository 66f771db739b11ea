//! The driver: every figure comes from a process of its own, one after the other, all subjects in turn and that many
//! rounds, so that a machine that slows down slows all of them down.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::agent::Age;
use crate::measure::{Length, median};
use crate::peer::Peer;
use crate::peers;
use crate::table;
use crate::workload::{self, Setting, WORKLOADS, Workload};

/// Every value of every figure, by workload, name of the figure and subject.
#[derive(Default)]
pub(crate) struct Results {
    values: BTreeMap<(String, String, String), Vec<f64>>,
    /// Names of figures by workload, in the order in which they came.
    names: Vec<(String, String)>,
}

impl Results {
    pub(crate) fn median(&self, workload: &str, figure: &str, subject: &str) -> Option<f64> {
        let key = (workload.to_owned(), figure.to_owned(), subject.to_owned());
        self.values.get(&key).map(|values| median(&mut values.clone()))
    }

    pub(crate) fn names(&self, workload: &str) -> impl Iterator<Item = &str> {
        self.names.iter().filter(move |(of, _)| of == workload).map(|(_, name)| name.as_str())
    }

    fn add(&mut self, workload: &str, figure: &str, subject: &str, value: f64) {
        let name = (workload.to_owned(), figure.to_owned());
        if !self.names.contains(&name) {
            self.names.push(name);
        }
        self.values
            .entry((workload.to_owned(), figure.to_owned(), subject.to_owned()))
            .or_default()
            .push(value);
    }
}

/// Door `run`.
pub(crate) fn run(options: &[&str]) -> ExitCode {
    let plan = match Plan::parse(options) {
        Ok(plan) => plan,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    let Some(agent) = Agent::start() else {
        eprintln!("the agent does not start");
        return ExitCode::FAILURE;
    };
    let results = plan.measure(&agent);
    drop(agent);
    table::print(&results, &plan.subjects);
    ExitCode::SUCCESS
}

/// Door `one`: measures and prints a line for each figure, name and value apart by a tab.
pub(crate) fn one(subject: &str, workload: &str, agent: &str, length: &str) -> ExitCode {
    let (Some(peer), Some(workload), Ok(agent)) =
        (peers::find(subject), workload::find(workload), agent.parse())
    else {
        eprintln!("no such subject, workload or address");
        return ExitCode::FAILURE;
    };
    let length = if length == "quick" { Length::Quick } else { Length::Full };
    let setting = Setting { agent, length, placement: workload.placement };
    for (name, value) in (workload.run)(peer, setting).unwrap_or_default() {
        println!("{name}\t{value}");
    }
    ExitCode::SUCCESS
}

/// Door `list`.
pub(crate) fn list() -> ExitCode {
    for workload in WORKLOADS {
        println!("{:<18} {}", workload.name, workload.what);
    }
    println!();
    for peer in peers::ALL {
        println!("{}", peer.name);
    }
    ExitCode::SUCCESS
}

struct Plan {
    length: Length,
    rounds: u32,
    workloads: Vec<&'static Workload>,
    subjects: Vec<&'static Peer>,
}

impl Plan {
    fn parse(options: &[&str]) -> Result<Self, String> {
        let (mut length, mut rounds) = (Length::Full, 7);
        let (mut workloads, mut subjects) = (Vec::new(), Vec::new());
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let mut value = || options.next().ok_or_else(|| format!("{option} wants a value"));
            match *option {
                "--quick" => (length, rounds) = (Length::Quick, 1),
                "--rounds" => rounds = value()?.parse().map_err(|_| "--rounds wants a number")?,
                "--only" => {
                    let name = value()?;
                    workloads.push(workload::find(name).ok_or_else(|| format!("no workload {name}"))?);
                }
                "--peer" => {
                    let name = value()?;
                    subjects.push(peers::find(name).ok_or_else(|| format!("no subject {name}"))?);
                }
                other => return Err(format!("no option {other}")),
            }
        }
        if workloads.is_empty() {
            workloads = WORKLOADS.iter().collect();
        }
        if subjects.is_empty() {
            subjects = peers::ALL.to_vec();
        }
        Ok(Self { length, rounds, workloads, subjects })
    }

    fn measure(&self, agent: &Agent) -> Results {
        let mut results = Results::default();
        for round in 0..self.rounds {
            for workload in self.workloads.iter().filter(|workload| round < workload.rounds) {
                eprintln!("round {} of {}: {}", round + 1, self.rounds, workload.name);
                for peer in &self.subjects {
                    match child(peer, workload, agent.address(workload.agent), self.length) {
                        Ok(figures) => {
                            for (name, value) in figures {
                                results.add(workload.name, &name, peer.name, value);
                            }
                        }
                        Err(message) => eprintln!("{} of {}: {message}", workload.name, peer.name),
                    }
                }
            }
        }
        results
    }
}

fn child(
    peer: &Peer,
    workload: &Workload,
    agent: SocketAddr,
    length: Length,
) -> Result<Vec<(String, f64)>, &'static str> {
    const PATIENCE: Duration = Duration::from_mins(3);
    let length = if length == Length::Quick { "quick" } else { "full" };
    let mut child = Command::new(std::env::current_exe().map_err(|_| "no path to itself")?)
        .args(["one", peer.name, workload.name, &agent.to_string(), length])
        .envs(workload.environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|_| "does not start")?;
    let begin = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begin.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("takes too long");
            }
        }
    };
    if !status.success() {
        return Err("fails");
    }
    let output = child.stdout.take().ok_or("has no output")?;
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    Ok(lines
        .filter_map(|line| {
            let (name, value) = line.split_once('\t')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect())
}

/// The process of the agent; it ends with this value.
struct Agent {
    process: Child,
    old: SocketAddr,
    current: SocketAddr,
}

impl Agent {
    fn start() -> Option<Self> {
        let mut process = Command::new(std::env::current_exe().ok()?)
            .arg("agent")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut line).ok()?;
        let (old, current) = line.trim().split_once(' ')?;
        Some(Self { process, old: old.parse().ok()?, current: current.parse().ok()? })
    }

    fn address(&self, age: Age) -> SocketAddr {
        match age {
            Age::Old => self.old,
            Age::Current => self.current,
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
