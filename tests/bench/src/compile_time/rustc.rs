//! The program in the place of the compiler: it calls the compiler, and reports what it took for one crate.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::process::{Command, ExitCode};

/// The file for the seconds.
pub(super) const REPORT: &str = "BENCH_COMPILE_TIME_REPORT";
/// The package that is measured.
pub(super) const PACKAGE: &str = "BENCH_COMPILE_TIME_PACKAGE";

/// Compiles, where cargo has called this program to do so.
pub(crate) fn wrapped() -> Option<ExitCode> {
    let report = env::var_os(REPORT)?;
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let (rustc, arguments) = arguments.split_first()?;
    let status = Command::new(rustc).args(arguments).status().ok()?;
    let is_measured = env::var(PACKAGE) == env::var("CARGO_PKG_NAME");
    if is_measured && status.success() {
        fs::write(report, children_user_cpu().ok()?.to_string()).ok()?;
    }
    Some(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Seconds of CPU time in user mode of the processes that this one has waited for.
fn children_user_cpu() -> io::Result<f64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    #[expect(
        unsafe_code,
        reason = "the standard library has no clock of a child; the call fills the one struct it is given"
    )]
    let time = unsafe {
        if libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        usage.assume_init().ru_utime
    };
    Ok(time.tv_sec as f64 + time.tv_usec as f64 / 1e6)
}
