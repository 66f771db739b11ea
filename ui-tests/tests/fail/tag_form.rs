use dd_traced::traced;

#[traced(tags(u.name(), ?u[0], u.name().len(), ?a = 1, %b = u.len()))]
fn function(u: &str) {
    let _ = u;
}

#[traced(resource = 5)]
fn number() {}

fn main() {
    function("a");
    number();
}
