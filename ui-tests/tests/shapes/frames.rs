//! The stack that a small recursive function takes, as it is compiled for tests.

use std::cell::Cell;

use dd_traced::testing::ScopedTracer;
use dd_traced::traced;

thread_local! {
    /// Where the stack was at the first and at the last mark.
    static MARKS: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

#[inline(never)]
fn mark(first: bool) {
    let here = 0_u8;
    let place = std::ptr::from_ref(&here).addr();
    MARKS.set(if first { (place, place) } else { (MARKS.get().0, place) });
}

#[inline(never)]
fn bare(depth: u32) -> u32 {
    if depth == 0 {
        mark(false);
        return 0;
    }
    bare(depth - 1) + 1
}

#[traced]
#[inline(never)]
fn annotated(depth: u32) -> u32 {
    if depth == 0 {
        mark(false);
        return 0;
    }
    annotated(depth - 1) + 1
}

/// Bytes of a frame.
fn frame(function: fn(u32) -> u32) -> usize {
    const DEPTH: u32 = 100;
    let bottom = |depth| {
        mark(true);
        function(depth);
        let (first, last) = MARKS.get();
        first - last
    };
    (bottom(DEPTH) - bottom(0)) / DEPTH as usize
}

#[test]
fn a_frame_at_most_doubles() {
    if !cfg!(debug_assertions) {
        return;
    }
    let (before, after) = (frame(bare), frame(annotated));
    assert!(after <= 2 * before, "{after} bytes instead of {before}");
    let _tracer = ScopedTracer::new();
    assert_eq!(frame(annotated), after, "it is the same while spans are recorded");
}
