//! Where threads run. Left to the scheduler, a worker that shares the caller's core one time and has one of its own the
//! next gives two different figures for the same code, up to three times apart: what a worker has read or freed on
//! another core has to come back from there, line by line, before the caller can write to it again.

use std::thread;

/// Where the tracer's own threads run while the caller is timed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// On the caller's core: what the instructions of the caller cost.
    Together,
    /// On another core, as in a service with cores to spare: the way of the memory between them comes on top.
    Apart,
}

impl Placement {
    /// Starts the tracer, with its threads where they belong, and leaves the caller on the first core.
    pub(crate) fn start(self, start: impl FnOnce()) {
        self.pin_worker();
        start();
        pin(CALLER);
    }

    /// Runs `settle` where the tracer's own threads run: some tracers flush on the thread that asks.
    pub(crate) fn settle(self, settle: fn()) {
        match self {
            Self::Together => settle(),
            Self::Apart => thread::scope(|scope| {
                scope.spawn(|| {
                    self.pin_worker();
                    settle();
                });
            }),
        }
    }

    fn pin_worker(self) {
        pin(match self {
            Self::Together => CALLER,
            Self::Apart => WORKER,
        });
    }
}

/// The core of the (first) measuring thread.
pub(crate) const CALLER: usize = 0;
/// The core of the tracer's own threads, and of the second measuring thread.
pub(crate) const WORKER: usize = 1;

/// Keeps the calling thread, and the threads that it will start, on one core. Without a second core it does nothing.
pub(crate) fn pin(core: usize) {
    #[expect(
        unsafe_code,
        reason = "the standard library places no threads; the set lives on the stack and is only read"
    )]
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}
