//! How large a file may become: a write beyond the limit of the process (`RLIMIT_FSIZE`) would end the process.
//!
//! Source: getrlimit(2); the signal is `SIGXFSZ`, and a thread cannot refuse it without unsafe code.

#[cfg(unix)]
use rustix::{
    fs::{FileType, fstat},
    process::{Resource, getrlimit},
};

/// Bytes that a file may have that this process writes to; `u64::MAX` without a limit.
#[cfg(unix)]
pub(super) fn limit() -> u64 {
    getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
pub(super) fn limit() -> u64 {
    u64::MAX
}

/// Whether so many bytes may be appended. A pipe or a device has no size.
#[cfg(unix)]
pub(super) fn is_there_for(more: usize, file: impl std::os::fd::AsFd) -> bool {
    let limit = limit();
    limit == u64::MAX
        || fstat(file).is_ok_and(|stat| {
            let bytes = u64::try_from(stat.st_size).unwrap_or_default();
            !FileType::from_raw_mode(stat.st_mode).is_file() || bytes.saturating_add(more as u64) <= limit
        })
}

#[cfg(not(unix))]
pub(super) fn is_there_for<T>(_: usize, _: T) -> bool {
    true
}
