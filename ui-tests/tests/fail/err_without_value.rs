use std::future::Future;

use dd_traced::traced;

#[traced(err = "display")]
fn nothing() {}

#[traced(err(describe))]
fn unit() -> () {}

#[traced(err = "debug")]
fn never() -> ! {
    panic!()
}

#[traced(err = "display", ret)]
fn later() -> impl Future<Output = ()> {
    async {}
}

#[traced(err = "long")]
fn unknown() -> Result<(), ()> {
    Ok(())
}

#[traced(err())]
fn empty() -> Result<(), ()> {
    Ok(())
}

fn main() {
    nothing();
    unit();
    drop(later());
    let _ = unknown();
    let _ = empty();
    never();
}
