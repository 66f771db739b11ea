//! Looks for the reason when nothing arrives in Datadog. `dd-traced-doctor --help` says what it does.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    dd_traced::doctor::run(std::env::args_os().skip(1))
}
