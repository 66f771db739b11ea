use dd_traced::traced;

#[traced(name = path)]
fn argument(path: &'static str) {
    let _ = path;
}

fn main() {
    argument("a");
}
