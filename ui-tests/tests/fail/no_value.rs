use dd_traced::traced;

#[traced(name)]
fn bare() {}

#[traced(service =)]
fn nothing() {}

#[traced(kind, tags, err, crate)]
fn four() {}

#[traced(parent, links)]
fn places() {}

fn main() {
    bare();
    nothing();
    four();
    places();
}
