use dd_traced::traced;

#[traced(measured = "yes")]
fn text() {}

#[traced(measured(true))]
fn brackets() {}

fn main() {
    text();
    brackets();
}
