//! The worker: the one thread that takes finished chunks from the queue, decides about them, encodes and sends them.
//!
//! Application threads only ring its bell. Here lie waiting, retries, limits of memory and the accounts of what was lost;
//! bytes and sockets are the business of `export`.
//!
//! ```text
//! queue ──drain──► backlog ──fill──► payload ──attempt──► agent
//!                     ▲                 │  again, in smaller parts, lost
//!                     └────── settle ◄──┘
//! ```
//!
//! Invariant: one payload is in flight; nothing is drained until what was drained before is settled.

#[cfg(feature = "enable")]
mod abandoned;
#[cfg(feature = "enable")]
mod backlog;
#[cfg(feature = "enable")]
mod carry;
#[cfg(feature = "enable")]
mod counting;
#[cfg(feature = "enable")]
mod delivery;
#[cfg(feature = "enable")]
mod enquiry;
#[cfg(feature = "enable")]
mod farewell;
#[cfg(feature = "enable")]
mod handle;
#[cfg(feature = "enable")]
mod health;
#[cfg(feature = "enable")]
mod introduction;
#[cfg(feature = "enable")]
mod metrics;
#[cfg(feature = "enable")]
pub(crate) mod prepare;
#[cfg(feature = "enable")]
mod report;
#[cfg(feature = "enable")]
mod restarts;
#[cfg(feature = "enable")]
mod retry;
pub(crate) mod rules;
#[cfg(feature = "enable")]
mod ruling;
#[cfg(feature = "enable")]
mod run;
pub(crate) mod settings;
#[cfg(feature = "enable")]
mod signal;
#[cfg(feature = "enable")]
mod tally;
#[cfg(feature = "enable")]
mod telling;
#[cfg(test)]
#[cfg(feature = "enable")]
mod tests;
#[cfg(feature = "enable")]
mod view;
#[cfg(feature = "enable")]
mod waterfall;

#[cfg(feature = "enable")]
pub(crate) use abandoned::Abandoned;
#[cfg(feature = "testing")]
pub(crate) use abandoned::Occasion;
#[cfg(feature = "doctor")]
pub(crate) use counting::counts_here;
#[cfg(feature = "enable")]
pub(crate) use handle::{WorkerHandle, WorkerParts, start};
#[cfg(feature = "enable")]
pub(crate) use introduction::{AgentCheck, Introduce, Remark};
#[cfg(feature = "doctor")]
pub(crate) use ruling::Ruling;
#[cfg(feature = "enable")]
pub(crate) use signal::Signal;
#[cfg(feature = "enable")]
pub(crate) use telling::tell_start;
#[cfg(feature = "enable")]
pub(crate) use view::Viewer;
#[cfg(feature = "enable")]
pub(crate) use waterfall::Waterfall;

use std::cell::Cell;

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Whether the present thread is a worker's: spans started there are not recorded.
pub(crate) fn is_worker_thread() -> bool {
    IS_WORKER.try_with(Cell::get).unwrap_or(false)
}

/// Marks the present thread as a worker's, or another one of the library's own.
pub(crate) fn mark_thread() {
    let _ = IS_WORKER.try_with(|is_worker| is_worker.set(true));
}
