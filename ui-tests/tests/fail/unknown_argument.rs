use dd_traced::traced;

#[traced(measurd)]
fn near() {}

#[traced(colour = "red")]
fn far() {}

#[traced(5)]
fn number() {}

fn main() {
    near();
    far();
    number();
}
