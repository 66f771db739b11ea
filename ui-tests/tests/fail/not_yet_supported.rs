use dd_traced::traced;

#[traced(ret)]
fn ret() {}

#[traced(root, links(a))]
fn root() {}

fn main() {
    ret();
    root();
}
