use dd_traced::traced;

#[traced(tags[a = 1])]
fn square() {}

#[traced(tags { a = 1 })]
fn curly() {}

#[traced(tags = 1)]
fn assigned() {}

#[traced(links[a])]
fn links() {}

fn main() {
    square();
    curly();
    assigned();
    links();
}
