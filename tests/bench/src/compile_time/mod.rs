//! What an annotated function costs to compile: a crate of many small functions, with the attribute of each subject and
//! without one.
//!
//! The crates are members of a workspace below the target directory, with the versions of the benchmark's lock file. What is
//! measured is the user CPU time of the one `rustc` that compiles the crate: cargo calls it through this program.

mod rustc;
mod source;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

pub(crate) use self::rustc::wrapped;
use self::source::{SUBJECTS, Subject};

/// A command of cargo, and how its figures are called.
struct Mode {
    name: &'static str,
    arguments: &'static [&'static str],
}

const MODES: &[Mode] = &[
    Mode { name: "check", arguments: &["check"] },
    Mode { name: "check --release", arguments: &["check", "--release"] },
    Mode { name: "build", arguments: &["build"] },
    Mode { name: "build --release", arguments: &["build", "--release"] },
];

/// Seconds by mode and subject, a value for each round.
type Figures = BTreeMap<(&'static str, &'static str), Vec<f64>>;

/// Door `compile-time`.
pub(crate) fn run(options: &[&str]) -> ExitCode {
    let measured = Plan::parse(options).and_then(|plan| {
        let figures = plan.measure().map_err(|error| error.to_string())?;
        Ok((plan, figures))
    });
    match measured {
        Ok((plan, figures)) => {
            table::print(&figures, plan.functions);
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

struct Plan {
    functions: usize,
    rounds: u32,
}

impl Plan {
    fn parse(options: &[&str]) -> Result<Self, String> {
        let mut plan = Self { functions: 1_000, rounds: 5 };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let value = options.next().ok_or_else(|| format!("{option} wants a value"))?;
            match *option {
                "--functions" => plan.functions = value.parse().map_err(|_| "--functions wants a number")?,
                "--rounds" => plan.rounds = value.parse().map_err(|_| "--rounds wants a number")?,
                other => return Err(format!("no option {other}")),
            }
        }
        Ok(plan)
    }

    /// All subjects in turn, round after round, after one that is not counted: it compiles the dependencies.
    fn measure(&self) -> io::Result<Figures> {
        let workspace = Workspace::create(self.functions)?;
        let mut figures = Figures::new();
        for round in 0..=self.rounds {
            eprintln!("round {round} of {}", self.rounds);
            for mode in MODES {
                for subject in SUBJECTS {
                    let seconds = workspace.compile(subject, mode)?;
                    if round > 0 {
                        figures.entry((mode.name, subject.name)).or_default().push(seconds);
                    }
                }
            }
        }
        Ok(figures)
    }
}

/// The generated crates.
struct Workspace {
    directory: PathBuf,
    functions: usize,
}

impl Workspace {
    fn create(functions: usize) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(2).ok_or(io::ErrorKind::NotFound)?;
        let workspace = Self { directory: target.join("compile-time"), functions };
        for subject in SUBJECTS {
            let package = workspace.directory.join(subject.package());
            fs::create_dir_all(package.join("src"))?;
            fs::write(package.join("Cargo.toml"), subject.manifest())?;
            workspace.write_source(subject)?;
        }
        let members: Vec<_> = SUBJECTS.iter().map(Subject::package).collect();
        let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
        fs::write(workspace.directory.join("Cargo.toml"), manifest)?;
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock");
        fs::copy(lock, workspace.directory.join("Cargo.lock"))?;
        Ok(workspace)
    }

    fn write_source(&self, subject: &Subject) -> io::Result<()> {
        let path = self.directory.join(subject.package()).join("src/lib.rs");
        fs::write(path, subject.source(self.functions))
    }

    /// Seconds of CPU time that the compiler takes for the crate of the subject; its dependencies are not counted.
    fn compile(&self, subject: &Subject, mode: &Mode) -> io::Result<f64> {
        let package = subject.package();
        // A file that is newer than what was made of it is compiled again.
        self.write_source(subject)?;
        let report = self.directory.join("seconds");
        let _ = fs::remove_file(&report);
        let status = Command::new(env!("CARGO"))
            .args(mode.arguments)
            .args(["--quiet", "--package", &package, "--target-dir"])
            .arg(self.directory.join("target"))
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTC_WRAPPER", std::env::current_exe()?)
            .env(rustc::REPORT, &report)
            .env(rustc::PACKAGE, &package)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{package} does not compile")));
        }
        fs::read_to_string(report)?.parse().map_err(io::Error::other)
    }
}
