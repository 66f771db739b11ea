use dd_traced::traced;

#[traced(ret)]
fn ret() {}

fn main() {
    ret();
}
