use dd_traced::traced;

#[traced(tags(a = 1, "a" = 2, ?a))]
fn function(a: u8) {
    let _ = a;
}

fn main() {
    function(1);
}
