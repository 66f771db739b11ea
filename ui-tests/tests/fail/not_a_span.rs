use dd_traced::traced;

#[traced(parent = id)]
fn parent(id: u64) {}

#[traced(links(id, id + 1))]
fn link(id: u64) {}

fn main() {
    parent(1);
    link(1);
}
