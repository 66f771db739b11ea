use dd_traced::traced;

#[traced(name = 5)]
fn number() {}

#[traced(name = b"bytes")]
fn bytes() {}

#[traced(service = true)]
fn boolean() {}

fn main() {
    number();
    bytes();
    boolean();
}
