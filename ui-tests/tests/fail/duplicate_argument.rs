use dd_traced::traced;

#[traced(name = "a", name = "b")]
fn spelt_alike() {}

#[traced("a", name = "b")]
fn positional() {}

#[traced(span_type = "web", type = "sql")]
fn two_spellings() {}

#[traced(service = "a", "b")]
fn late() {}

fn main() {
    spelt_alike();
    positional();
    two_spellings();
    late();
}
