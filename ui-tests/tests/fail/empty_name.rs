use dd_traced::traced;

#[traced(name = "")]
fn named() {}

#[traced("")]
fn positional() {}

fn main() {
    named();
    positional();
}
