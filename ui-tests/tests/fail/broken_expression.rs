use dd_traced::traced;

#[traced(resource = a b, tags(c = 1 +))]
fn function() {}

fn main() {
    function();
}
