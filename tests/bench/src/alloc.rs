//! The allocator of the process, with a count of its calls while somebody asks for it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Allocations seen while [`count`] ran.
#[derive(Clone, Copy, Default)]
pub(crate) struct Allocations {
    /// By the thread that asked.
    pub(crate) caller: u64,
    /// Bytes that these asked for.
    pub(crate) caller_bytes: u64,
    /// By all threads.
    pub(crate) process: u64,
}

/// Counts the allocations and reallocations made while `work` runs.
pub(crate) fn count(work: impl FnOnce()) -> Allocations {
    let (caller, caller_bytes) = (CALLER.get(), CALLER_BYTES.get());
    let process = PROCESS.load(Ordering::Relaxed);
    COUNTING.store(true, Ordering::SeqCst);
    work();
    COUNTING.store(false, Ordering::SeqCst);
    Allocations {
        caller: CALLER.get() - caller,
        caller_bytes: CALLER_BYTES.get() - caller_bytes,
        process: PROCESS.load(Ordering::Relaxed) - process,
    }
}

pub(crate) struct Counting;

#[expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait; every call goes on to the system's unchanged"
)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// One relaxed load while nobody counts, so that the timed workloads do not pay for it.
fn note(bytes: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        PROCESS.fetch_add(1, Ordering::Relaxed);
        CALLER.set(CALLER.get() + 1);
        CALLER_BYTES.set(CALLER_BYTES.get() + bytes as u64);
    }
}

static COUNTING: AtomicBool = AtomicBool::new(false);
static PROCESS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // Const and without a destructor: reading it allocates nothing and works at thread exit.
    static CALLER: Cell<u64> = const { Cell::new(0) };
    static CALLER_BYTES: Cell<u64> = const { Cell::new(0) };
}
