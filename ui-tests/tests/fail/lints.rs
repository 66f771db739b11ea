//! Lints about the user's code survive in every shape.
#![deny(unused, unused_must_use, clippy::all)]

use std::future::Future;

use dd_traced::traced;

#[traced]
fn plain(argument: u8) -> u8 {
    let local = 1;
    let mut never_changed = 2;
    return never_changed;
    never_changed
}

#[traced]
fn fallible(argument: u8) -> Result<u8, String> {
    let local = 1;
    let mut never_changed = 2;
    fallible(3);
    return Ok(never_changed);
    Ok(never_changed)
}

#[traced]
async fn asynchronous(argument: u8) -> Result<u8, String> {
    let local = 1;
    let mut never_changed = 2;
    asynchronous(3);
    return Ok(never_changed);
    Ok(never_changed)
}

#[traced]
fn returned(argument: u8) -> impl Future<Output = Result<u8, String>> {
    let local = 1;
    let mut never_changed = 2;
    returned(3);
    async move {
        return Ok(never_changed);
        Ok(never_changed)
    }
}

#[traced]
fn never_called() {}

fn main() {
    plain(1);
    let _ = fallible(1);
    let _ = asynchronous(1);
    let _ = returned(1);
}
