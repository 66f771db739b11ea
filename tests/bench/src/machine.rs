//! The machine under the figures: what a clock costs on it, and how far its cores are apart.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::cores::{self, Placement};
use crate::measure::per_item;
use crate::peer::Peer;
use crate::peers;
use crate::workload::{Figures, Setting};

/// Only once, with the bare subject: no tracer is in it.
pub(crate) fn machine(peer: &Peer, setting: Setting) -> Option<Figures> {
    const READS: u32 = 100_000;
    (peer.name == peers::BARE).then_some(())?;
    Placement::Together.start(|| ());
    let mut figures =
        vec![("ns, clock of std", per_item(setting.length, READS, || (), || read(READS, Instant::now)))];
    #[cfg(target_arch = "x86_64")]
    figures.push(("ns, counter", per_item(setting.length, READS, || (), || read(READS, counter))));
    figures.push(("ns, line to another core", line_to_another_core()));
    Some(figures)
}

fn read<T>(times: u32, clock: fn() -> T) {
    for _ in 0..times {
        std::hint::black_box(clock());
    }
}

#[cfg(target_arch = "x86_64")]
fn counter() -> u64 {
    #[expect(unsafe_code, reason = "reading the counter has no precondition on this architecture")]
    unsafe {
        std::arch::x86_64::_rdtsc()
    }
}

/// Half of the time in which two threads on two cores hand a number to each other and back.
fn line_to_another_core() -> f64 {
    const ROUNDS: u64 = 20_000;
    let ball = AtomicU64::new(0);
    let play = |core: usize, parity: u64| {
        cores::pin(core);
        let begin = Instant::now();
        for round in (parity..ROUNDS).step_by(2) {
            let mut spins = 0_u32;
            while ball.load(Ordering::Acquire) != round {
                spins += 1;
                // Both on one core: let the other one play.
                if spins.is_multiple_of(10_000) {
                    thread::yield_now();
                }
            }
            ball.store(round + 1, Ordering::Release);
        }
        begin.elapsed().as_nanos() as f64 / ROUNDS as f64
    };
    thread::scope(|scope| {
        scope.spawn(|| play(cores::WORKER, 1));
        scope.spawn(|| play(cores::CALLER, 0)).join().unwrap_or(f64::NAN)
    })
}
