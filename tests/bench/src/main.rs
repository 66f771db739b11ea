//! What a span costs, beside the tracers people use instead. See `README.md`.
//!
//! One binary, five doors: `run` drives, `one` measures one subject on one workload in a process of its own, `agent` is
//! the server that takes what the tracers send, `calls` runs an annotated function so many times under valgrind, `compile-time` measures the compiler.

mod agent;
mod alloc;
mod compile_time;
mod cores;
mod driver;
mod end_to_end;
#[cfg(feature = "dd-traced")]
mod headers;
mod instructions;
mod line;
mod machine;
mod measure;
mod peer;
mod peers;
mod poll;
mod table;
mod workload;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const USAGE: &str = "\
bench run [--quick] [--rounds N] [--only WORKLOAD]... [--peer SUBJECT]...
bench compile-time [--rounds N] [--functions N]
bench list";

fn main() -> ExitCode {
    if let Some(code) = compile_time::wrapped() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", options @ ..] => driver::run(options),
        ["compile-time", options @ ..] => compile_time::run(options),
        ["one", subject, workload, agent, length] => driver::one(subject, workload, agent, length),
        ["agent"] => agent::serve(),
        ["calls", subject, agent, count] => instructions::calls(subject, agent, count),
        ["list"] => driver::list(),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}
