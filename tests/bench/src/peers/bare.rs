//! No tracer: what the harness itself costs.

use crate::line::{self, Ids};
use crate::peer::{Peer, body};
use crate::{peers, poll};

pub(crate) const PEER: Peer = Peer {
    name: peers::BARE,
    start_off: Some(|_| ()),
    children: Some(calls),
    tagged_children: Some(calls),
    lone_root: Some(|| calls(1)),
    async_calls: Some(async_calls),
    calls: Some(calls),
    lines: Some(lines),
    constant_lines: Some(lines),
    ..Peer::ABSENT
};

#[inline(never)]
fn call(value: u64) -> u64 {
    body(value)
}

fn calls(count: u32) {
    for value in 0..count {
        call(u64::from(value));
    }
}

async fn async_call(value: u64) -> u64 {
    poll::three_awaits(value).await
}

fn async_calls(count: u32) {
    poll::block_on(async {
        for value in 0..count {
            async_call(u64::from(value)).await;
        }
    });
}

fn lines(count: u32) {
    let ids = Ids::constant();
    for value in 0..count {
        line::write(&ids, u64::from(value));
    }
}
