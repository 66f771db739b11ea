//! A crate without the prelude of std, where std is at hand.
#![no_std]
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]

extern crate std;

use core::future::{Future, ready};
use core::num::TryFromIntError;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use dd_traced::{dd_log, traced};

#[traced(tags(x, half = x / 2))]
fn plain(x: u8) -> u8 {
    x
}

#[traced(tags(%x))]
fn fallible(x: u8) -> Result<u8, TryFromIntError> {
    u8::try_from(u16::from(x) + 250)
}

#[traced]
async fn asynchronous(x: u8) -> Result<u8, TryFromIntError> {
    let sum = ready(u16::from(x) + 250).await;
    u8::try_from(sum)
}

fn main() {
    assert_eq!(plain(1), 1);
    assert_eq!(fallible(1).ok(), Some(251));
    let polled = pin!(asynchronous(9)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Err(_))));
    dd_log!(warn, "{} in {dd.trace_id}", plain(1));
}
