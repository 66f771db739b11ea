use dd_traced::traced;

#[traced(name "a")]
fn literal() {}

#[traced(service: "a")]
fn colon() {}

#[traced(resource("a"))]
fn brackets() {}

#[traced(tags("a" 1))]
fn tag() {}

fn main() {
    literal();
    colon();
    brackets();
    tag();
}
