//! Spans by `tracing`, whoever listens to them.

use tracing::instrument;

use crate::peer::body;
use crate::poll;

#[inline(never)]
#[instrument(skip_all)]
fn call(value: u64) -> u64 {
    body(value)
}

#[inline(never)]
#[instrument(skip_all, fields(shop.city = "Berlin", order.items = items))]
fn tagged_call(items: u64) -> u64 {
    body(items)
}

#[instrument(skip_all)]
async fn async_call(value: u64) -> u64 {
    poll::three_awaits(value).await
}

pub(super) fn calls(count: u32) {
    for value in 0..count {
        call(u64::from(value));
    }
}

#[instrument(name = "root", skip_all)]
pub(super) fn children(count: u32) {
    calls(count);
}

#[instrument(name = "root", skip_all)]
pub(super) fn tagged_children(count: u32) {
    for value in 0..count {
        tagged_call(u64::from(value));
    }
}

#[instrument(name = "root", skip_all)]
pub(super) fn lone_root() {
    body(1);
}

pub(super) fn async_calls(count: u32) {
    poll::block_on(async_root(count));
}

#[instrument(name = "root", skip_all)]
async fn async_root(count: u32) {
    for value in 0..count {
        async_call(u64::from(value)).await;
    }
}
