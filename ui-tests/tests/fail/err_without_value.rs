use dd_traced::traced;

#[traced(err = "display")]
fn nothing() {}

#[traced(err(describe))]
fn unit() -> () {}

#[traced(err = "debug")]
fn never() -> ! {
    panic!()
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
    let _ = unknown();
    let _ = empty();
    never();
}
